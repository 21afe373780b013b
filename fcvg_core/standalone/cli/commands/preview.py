"""`preview`: keyframes in, their own pixels as they move from one to the next out."""

import argparse
import os
from pathlib import Path
from typing import Any

from ....files.claim import claim_folder
from ....shell import shell_words
from ...spec import Machine, PreviewSpec
from ..motion_options import KEYFRAME_RULES, add_motion
from ..option_groups import add_device, add_keyframes, add_run, add_video

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


def run(options: argparse.Namespace) -> Path:
    """Draw control frames and preview, and write both to the folder that is returned."""
    from ...media.writing import write_frames
    from ...preview import PreviewMaker
    from ...run_models import check_packages
    from ..keyframe_files import read_keyframes_of, reserve_room, spec_of, write_result
    from ..progress import Bars
    from ..run_record import save_run

    spec = spec_of(PreviewSpec, options)
    keyframes = read_keyframes_of(spec, options)
    maker = PreviewMaker(spec)
    check_packages(("av",))  # it is needed at the end alone
    with claim_folder(spec.output) as claim, Bars() as bars:
        reserve_room(claim, spec)
        found = maker.find_motion(keyframes, progress=bars)
        write_frames(claim.path / "condition", maker.draw_control(found))
        save_run(claim.path, options.command, spec, None)
        frames = maker.draw_preview(keyframes, found, progress=bars)
        write_result(claim, frames, spec.result.fps, video="preview.mp4")
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
