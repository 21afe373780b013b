"""`preview`: keyframes in, their own pixels as they move from one to the next out."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....files.claim import Claim, claim_folder
from ....progress import Progress, silent
from ....shell import shell_words
from ...spec import Machine, PreviewSpec
from ...work import setup_of, unusable_if_missing
from ..keyframe_files import reserve_room, spec_of, write_result
from ..keyframe_work import Drawn, KeyframeWork
from ..motion_options import KEYFRAME_RULES, add_motion
from ..option_groups import add_device, add_keyframes, add_run, add_video

if TYPE_CHECKING:
    from ...preview import PreviewMaker

HELP = "show the motion between two frames, without models"
DESCRIPTION = (
    "Move the pixels of two frames or more, the keyframes, along the lines and people that they "
    "show, and blend them. No model is needed. Writes preview.mp4, frames/, condition/ (the "
    "control frames) and run.json to a new folder."
)
EXAMPLES = (
    "preview first.png last.png -o look",
    "preview first.png last.png -o look --timing ease-in-out --frames 49 --fps 14",
    "preview --run look/run.json --matches lines/matches.json",
    "preview first.png second.png third.png --at 0,24,60 -o look",
)
SPEC = PreviewSpec
RULES = KEYFRAME_RULES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    files = parser.add_argument_group("files")
    add_keyframes(files)
    add_run(files)
    add_video(parser.add_argument_group("video"), fps="frame rate of the video")
    add_motion(parser.add_argument_group("motion and control frames"))
    add_device(parser.add_argument_group("machine"))


class PreviewWork(KeyframeWork[PreviewSpec]):
    """Previews the motion between keyframes."""

    command = "preview"

    @property
    def setup(self) -> str:
        """As `Work.setup`."""
        return setup_of(self.command, *self.conditions())

    def open(self, like: Any = None) -> PreviewMaker:
        """As `Work.open`."""
        from ...preview import PreviewMaker
        from ...run_models import check_packages

        with unusable_if_missing():
            maker = PreviewMaker(self.spec, like)
            check_packages(("av",))  # it is needed at the end alone
        return maker

    def open_preparer(self, like: Any = None) -> PreviewMaker:
        """As `Work.open_preparer`."""
        from ...preview import PreviewMaker

        return PreviewMaker(self.spec_on_cpu, like)

    def prepare(self, preparer: PreviewMaker, progress: Progress = silent) -> Drawn:
        """Control frames and preview."""
        drawn = self.draw_control(preparer, progress)
        frames = preparer.draw_preview(drawn.keyframes, drawn.found, progress=progress)
        return replace(drawn, frames=frames)

    def finish(
        self,
        maker: PreviewMaker,
        prepared: Drawn | None,
        claim: Claim,
        progress: Progress = silent,
    ) -> None:
        """Write control frames, run.json, the frames and the video."""
        from ...media.writing import write_frames
        from ..run_record import save_run

        reserve_room(claim, self.spec)
        drawn = prepared or self.draw_control(maker, progress)
        write_frames(claim.path / "condition", drawn.control)
        save_run(claim.path, self.command, self.spec, None)
        frames = drawn.frames
        if frames is None:
            frames = maker.draw_preview(drawn.keyframes, drawn.found, progress=progress)
        write_result(claim, frames, self.spec.result.fps, video="preview.mp4")


WORK = PreviewWork


def read_spec(options: argparse.Namespace) -> PreviewSpec:
    """What the options say; see `spec_of`."""
    return spec_of(PreviewSpec, options)


def run(options: argparse.Namespace) -> Path:
    """Draw control frames and preview, and write both to the folder that is returned."""
    from ..progress import Bars

    work = PreviewWork(read_spec(options))
    work.read_keyframes(options.run)
    maker = work.open()
    with claim_folder(work.spec.output) as claim, Bars() as bars:
        work.finish(maker, None, claim, bars)
    print(f"preview:    {claim.path / 'preview.mp4'}")
    print(f"frames:     {claim.path / 'frames'}")
    print(f"conditions: {claim.path / 'condition'}")
    return claim.path


def preview_command(spec: PreviewSpec) -> str:
    """The command that previews the motion of a run, as it is typed."""
    options, settings = spec.options(), PreviewSpec.settings_by_key()
    unknown = Machine.settings_by_key().keys() - {"device"}  # they are for networks that paint
    pictures = (options["first"], *options["between"], options["last"])
    words = [*map(_typed_path, pictures), "-o", _typed_path(options["output"])]
    for key, setting in settings.items():
        known = key not in ("first", "between", "last", "output", *unknown)
        # Without places for more than two keyframes, the default length depends on their number.
        always = key == "frames" and spec.between and not spec.at
        if known and (always or options[key] != setting.default):
            words += _typed(key.replace("_", "-"), options[key])
    return shell_words("python", "-m", "fcvg_core", "preview", *words)


def _typed(name: str, value: Any) -> list[str]:
    """An option with its value."""
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    if isinstance(value, tuple) and isinstance(value[0], Path):
        return [f"--{name}", *map(_typed_path, value)]
    if isinstance(value, tuple):
        return [f"--{name}", ",".join(map(str, value))]
    return [f"--{name}", _typed_path(value) if isinstance(value, Path) else str(value)]


def _typed_path(path: Path) -> str:
    """A path that is no option, also if it begins with a dash."""
    return os.path.join(".", path) if str(path).startswith("-") else str(path)
