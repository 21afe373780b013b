"""Write the table of passes in docs/performance.md: python docs/performance_table.py

tests/core/test_performance_document.py says when the table is stale, and counts the operations.
"""

import re
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "performance.md"
sys.path.insert(0, str(ROOT))

from fcvg_core.choices import AYS  # noqa: E402
from fcvg_core.estimate import (  # noqa: E402
    CONTROLNEXT_SVD,
    FCVG,
    REFERENCE,
    REFERENCE_STEPS,
    Passes,
    estimate,
)
from fcvg_core.settings import FAST  # noqa: E402
from fcvg_core.standalone.networks.levels import passes_of, plain_passes_of  # noqa: E402
from fcvg_core.standalone.spec import InbetweenSampling  # noqa: E402

INTERVAL = {name: FAST[name] for name in ("guidance_from", "guidance_until")}
AYS_10 = {"steps": 10, "schedule": AYS}
NO_GUIDANCE = {"guidance_start": 1.0, "guidance_end": 1.0}
HEAD = ("run", "passes", "of them with kept features", "operations", "times less")


@dataclass(frozen=True)
class Row:
    """A run of 25 frames in one window.

    Attributes:
        name: in words.
        changes: settings that differ from the full run's.
        directions: in which the video is sampled.
        plain: whether MPD samples with SVD alone.
        steering: how often a noise level ControlNeXt is computed.
    """

    name: str
    changes: dict[str, Any] = field(default_factory=dict)
    directions: int = 2
    plain: bool = False
    steering: int = 1

    def passes(self) -> Passes:
        """Passes of the UNet."""
        settings = InbetweenSampling().settings(num_frames=25, fps=7)
        settings = replace(settings, **self.changes)
        if self.plain:
            return plain_passes_of(settings)
        found = passes_of(settings, directions=self.directions)
        return replace(found, steered=self.steering * found.steered)

    def operations(self) -> float:
        """Operations of sampling at 576 x 1024."""
        networks = FCVG if self.directions == 2 else CONTROLNEXT_SVD
        found = estimate((576, 1024), 25, 25, "bf16", overlap=6, networks=networks)
        return found.cost(self.passes())


ROWS = (
    Row("full: 25 steps"),
    Row("full, ControlNeXt four times a step as in the official code", steering=4),
    Row("guidance of 1", NO_GUIDANCE),
    Row("guidance interval 0.25 to 0.49", INTERVAL),
    Row("10 steps of Align Your Steps", AYS_10),
    Row("10 steps of Align Your Steps and the interval", {**AYS_10, **INTERVAL}),
    Row("cache 2", {"cache_interval": 2}),
    Row("cache 3", {"cache_interval": 3}),
    Row("forward_share 0.2", {"forward_share": 0.2}),
    Row("Fast, --fast: 10 steps, the interval and cache 2", FAST),
    Row("Fast with forward_share 0.2", {**FAST, "forward_share": 0.2}),
    Row("MPD, 25 steps, SVD alone", plain=True),
    Row("ControlNeXt-SVD, full: 25 steps", directions=1),
    Row("ControlNeXt-SVD, Fast", FAST, directions=1),
)


def table() -> list[str]:
    """The lines of the table, in Markdown."""
    full = REFERENCE.cost(REFERENCE.all_passes(REFERENCE_STEPS))
    rows = [HEAD, ("---",) * len(HEAD)]
    for row in ROWS:
        passes, share = row.passes(), row.operations() / full
        total = f"{passes.whole + passes.shallow}"
        rows.append((row.name, total, f"{passes.shallow}", f"{share:.2f}", f"{1 / share:.1f}"))
    return [f"| {' | '.join(row)} |" for row in rows]


def with_table(page: str) -> str:
    """The page with the table."""
    between = re.compile(r"(?<=<!-- passes -->\n).*?(?=<!-- end -->)", re.DOTALL)
    made = "\n".join(table()) + "\n"
    return between.sub(lambda _: made, page)


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), "utf-8", newline="\n")
