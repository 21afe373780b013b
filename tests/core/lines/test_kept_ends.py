"""Matches whose ends the user keeps in their order: no function loses this on the way."""

import ast
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from hosts import ROOT

from fcvg_core.control import draw_thick_lines
from fcvg_core.json_text import parse_json
from fcvg_core.lines import (
    LineMatches,
    MatchFilter,
    filter_matches,
    format_matches,
    interpolate_lines,
    parse_matches,
)
from fcvg_core.lines.filter import drop_points, select_matches
from fcvg_core.lines.track import paired_ends
from fcvg_core.motion import Span
from fcvg_core.warp import line_field, span

# A line that turns by nearly half a turn: the shortest way swaps its ends.
TURNING = [[10.0, 50.0], [90.0, 50.0]], [[90.0, 52.0], [10.0, 48.0]]
STILL = [[20.0, 10.0], [80.0, 10.0]], [[20.0, 10.0], [80.0, 10.0]]


def matches_of(*rows, kept: list[bool] | None = None) -> LineMatches:
    lines0, lines1 = (torch.tensor([row[i] for row in rows]) for i in (0, 1))
    kept_ends = None if kept is None else torch.tensor(kept)
    return LineMatches(lines0, lines1, size=(96, 100), kept_ends=kept_ends)


class TestTrack:
    def test_kept_and_paired(self) -> None:
        times = torch.tensor([0.0, 0.5, 1.0])
        matches = matches_of(TURNING, TURNING, STILL, kept=[True, False, False])
        kept, paired, still = interpolate_lines(matches, times).unbind(1)
        assert kept[1].tolist() == [[50, 51], [50, 49]] and kept[2].tolist() == TURNING[1]
        assert paired[1].tolist() == [[10, 49], [90, 51]]
        assert still[1].tolist() == STILL[0]

    def test_none_are_kept_by_default(self) -> None:
        matches = matches_of(TURNING, STILL)
        assert matches.kept_ends.tolist() == [False, False]
        both = replace(matches, kept_ends=torch.tensor([False, False]))
        times = torch.linspace(0, 1, 5)
        assert torch.equal(interpolate_lines(matches, times), interpolate_lines(both, times))

    def test_ends_at_one_place(self) -> None:
        """Equally long ways swap the ends, as in the official code, unless they are kept."""
        start, end = torch.zeros(1, 2, 2), torch.tensor([[[0.0, 5.0], [0.0, -5.0]]])
        assert torch.equal(paired_ends(start, end, torch.tensor([False])), end.flip(1))
        assert torch.equal(paired_ends(start, end, torch.tensor([True])), end)


class TestTravels:
    """Through everything that copies, selects or scales matches."""

    MATCHES = matches_of(STILL, TURNING, TURNING, kept=[False, True, False])

    def test_selection(self) -> None:
        chosen = select_matches(self.MATCHES, torch.tensor([False, True, True]))
        assert chosen.kept_ends.tolist() == [True, False]
        assert drop_points(self.MATCHES).kept_ends.tolist() == [False, True, False]

    def test_filter(self) -> None:
        """The common motion is still, so a kept line that turns does not follow it."""
        criteria = MatchFilter(fit="affine", tolerance=10.0)
        rows = [([[float(x), 5.0], [x + 9.0, 80.0]],) * 2 for x in range(0, 80, 10)]
        for kept, remain in ((True, len(rows)), (False, len(rows) + 1)):
            matches = matches_of(*rows, TURNING, kept=[False] * len(rows) + [kept])
            assert len(filter_matches(matches, criteria).ids) == remain

    def test_json(self) -> None:
        again = parse_matches(parse_json(format_matches(self.MATCHES)), name="m.json")
        assert again.kept_ends.tolist() == [False, True, False]

    def test_thick_lines(self) -> None:
        times, size = torch.tensor([0.5]), (48, 50)
        kept, paired = (
            draw_thick_lines(matches_of(TURNING, kept=[x]), times, size, line_width=1, seed=0)
            for x in (True, False)
        )
        assert paired.any(axis=(0, 1, 3)).sum() > 40  # a long line, as in the keyframes
        assert kept.any(axis=(0, 1, 3)).sum() < 6  # half way it is short

    def test_the_field_of_the_preview(self) -> None:
        kept, paired = (
            line_field.spread_lines(matches_of(TURNING, STILL, kept=[x, False]), (96, 100))
            for x in (True, False)
        )
        assert not np.allclose(kept.half, paired.half)

    def test_the_preview(self, monkeypatch) -> None:
        """Its lines are scaled to a smaller frame before the layers are found."""
        seen = []
        monkeypatch.setattr(
            span, "find_layers", lambda small, matches, limbs: seen.append(matches) or [None]
        )
        monkeypatch.setattr(span, "Blend", lambda small, layers, view: None)
        frames = (np.zeros((96, 100, 3), np.uint8),) * 2
        span._look(frames, Span(matches=self.MATCHES))
        assert seen[0].kept_ends.tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("kept_ends", "got"),
    [(torch.tensor([True]), r"\[1\] torch.bool"), (torch.zeros(2), r"\[2\] torch.float32")],
)
def test_other_shapes(kept_ends, got) -> None:
    with pytest.raises(ValueError, match=rf"expected kept_ends \[2\] bool, .*got {got}"):
        replace(matches_of(STILL, TURNING), kept_ends=kept_ends)


NAMES = {field.name for field in fields(LineMatches)}


def test_matches_are_copied_with_all_their_fields() -> None:
    """A copy made field by field loses the fields that it does not know: `replace` keeps all."""
    found = []
    sources = [path for name in ("fcvg_core", "nodes") for path in (ROOT / name).rglob("*.py")]
    assert len(sources) > 100
    for path in sources:
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or getattr(call.func, "id", "") != "LineMatches":
                continue
            values = [*call.args, *(keyword.value for keyword in call.keywords)]
            read = [x for value in values for x in ast.walk(value) if isinstance(x, ast.Attribute)]
            if NAMES & {x.attr for x in read if "matches" in ast.unparse(x.value)}:
                found.append(f"{path.name}:{call.lineno}")
    assert not found, f"{found} copy fields of matches: use dataclasses.replace"
