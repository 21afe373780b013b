"""`story`: a list of shots in, one video out."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ....errors import UserError
from ....files.claim import claim_folder
from ...spec import StorySpec
from ..clip_options import (
    OFFICIAL,
    add_clip_machine,
    add_clip_models,
    add_clip_sampling,
    add_clip_video,
    add_output,
)
from ..option_groups import options_of
from ..option_rules import Rules

if TYPE_CHECKING:
    import numpy as np

    from ..clip_files import VideoFiles

HELP = "tell a story in several shots, each with a prompt"
DESCRIPTION = (
    "Paint the shots of a story, one after the other (DynamiCrafter). STORY is a JSON file: "
    '{"shots": [{"prompt": "a boat leaves", "picture": "boat.png"}, {"prompt": "it sails on"}]}. '
    "A shot without a picture begins with the end of the shot before. A shot may also have last "
    "(a picture that it ends with), negative_prompt, frames, fs and seed. Writes result.mp4, "
    "frames/ and run.json to a new folder."
)
EXAMPLES = (
    "story story.json -o result",
    "story story.json -o result --shot-frames --seed 7",
    "story story.json -o result --checkpoint dynamicrafter_512_v1/model.ckpt",
)
SPEC = StorySpec
RULES = Rules(aliases=OFFICIAL)
SHOTS = "shots"  # folder of the shots' frames


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    files = parser.add_argument_group("files")
    add = options_of(StorySpec, files)
    add("story", nargs="?", metavar="STORY", help="file of the shots, JSON")
    add(
        "--shot-frames",
        help="write the frames of each shot to a folder of its own too: shots/01, shots/02 ...",
    )
    add_output(files)
    add_clip_models(files)
    add(
        "--interp-checkpoint",
        metavar="FILE",
        help="model.ckpt of 512_interp, for the shots that end with a given picture; it is looked "
        "for as --checkpoint is",
    )
    add_clip_video(parser.add_argument_group("video"))
    add_clip_sampling(parser.add_argument_group("sampling"))
    add_clip_machine(parser.add_argument_group("machine"))


def run(options: argparse.Namespace) -> None:
    """Paint the shots and write them."""
    from ....choices import ANIMATE, INTERPOLATE
    from ...media.writing import frames_size
    from ...story import StoryPainter
    from ..clip_files import VideoFiles, save_clip_run
    from ..progress import Bars
    from ..run_record import check_earlier_run

    spec = StorySpec.from_options(vars(options))
    if not spec.story:
        lacking = f"{options.run.path} names none. " if options.run else ""
        raise UserError(f"{lacking}A story is needed: python -m fcvg_core story STORY.json -o OUT")
    check_earlier_run(spec, options.run)
    painter = StoryPainter(spec)
    options_of_models = {ANIMATE: "checkpoint", INTERPOLATE: "interp_checkpoint"}
    models = {options_of_models[mode]: model for mode, model in painter.models.items()}
    lengths = [kept.stop for kept in painter.kept] if spec.shot_frames else []
    beside = sum(frames_size((length, *painter.size, 3)) for length in lengths)
    with claim_folder(spec.output) as claim, Bars() as bars:
        files = VideoFiles(claim, painter.shape, count=1, beside=beside)
        save_clip_run(claim.path, options.command, spec, models, {"story": painter.pictures})
        shots = painter.paint(progress=bars)
        if spec.shot_frames:
            shots = _written(shots, claim.path / SHOTS, files, count=len(painter.shots))
        files.write(painter.join(shots), spec.result.fps, name="result")
    print(files.describe())
    if spec.shot_frames:
        print(f"shots:  {claim.path / SHOTS}")
    if any(model.is_stand_in for model in models.values()):
        print("The models were stand-ins: the frames are noise.")


def _written(
    shots: Iterator[np.ndarray], folder: Path, files: VideoFiles, *, count: int
) -> Iterator[np.ndarray]:
    """The frames of each shot, which are written to a folder of the shot first."""
    from ...media.writing import frames_size, write_frames

    digits = max(len(str(count)), 2)
    for number, frames in enumerate(shots, 1):
        files.release(frames_size(frames.shape))
        write_frames(folder / f"{number:0{digits}d}", frames)
        yield frames
