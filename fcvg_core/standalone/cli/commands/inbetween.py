"""`inbetween`: two keyframes in, the video between them out."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ....errors import UserError
from ....files.claim import Claim, claim_folder
from ...spec import (
    InbetweenPoseChoice,
    InbetweenSampling,
    InbetweenSpec,
    InbetweenVideo,
    MatcherChoice,
    Motion,
)
from ...spec.values import PATH
from ..option_groups import (
    add_detector,
    add_job,
    add_machine,
    add_matcher,
    add_motion_bucket,
    add_sampling,
    add_size,
    options_of,
)
from ..option_rules import Rules

if TYPE_CHECKING:
    import numpy as np

HELP = "paint the frames between two frames"
DESCRIPTION = (
    "Paint the frames between two frames, the keyframes. Writes result.mp4, frames/, condition/ "
    "(the control frames) and run.json to a new folder."
)
EXAMPLES = (
    "inbetween first.png last.png -o result",
    "inbetween first.png last.png -o look --conditions-only --timing ease-in-out",
    "inbetween first.png last.png -o small --width 512 --height 320 --offload",
    "inbetween --run result/run.json --seed 7",
    "inbetween first.png last.png -o close --from-preview 0.7",
)
SPEC = InbetweenSpec
RULES = Rules(
    aliases={"image1_path": "first", "image2_path": "last"},  # the official code's names
    pairs=(("matches", "matcher"), ("from_preview", "conditions_only")),
    replaces={
        "matcher": "matches",
        "gluestick": "matches",
        "superpoint": "matches",
        "dwpose_det": "poses",
        "dwpose_pose": "poses",
    },
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    _add_files(parser.add_argument_group("files"))
    _add_video(parser.add_argument_group("video"))
    control = parser.add_argument_group("control frames")
    _add_matching(control)
    _add_people(control)
    _add_motion(control)
    sampling = parser.add_argument_group("sampling")
    add_sampling(InbetweenSampling, sampling)
    _add_injection(sampling)
    _add_start(sampling)
    add_machine(parser.add_argument_group("machine"))


def _add_files(group: argparse._ArgumentGroup) -> None:
    add = options_of(InbetweenSpec, group)
    add("first", nargs="?", metavar="FIRST", help="picture that the video begins with")
    add("last", nargs="?", metavar="LAST", help="picture that the video ends with")
    group.add_argument("--image1_path", type=PATH, metavar="FILE", help="the same as FIRST")
    group.add_argument("--image2_path", type=PATH, metavar="FILE", help="the same as LAST")
    add_job(group, models="FCVG")


def _add_video(group: argparse._ArgumentGroup) -> None:
    add = options_of(InbetweenVideo, group)
    add_size(group, InbetweenVideo)
    add(
        "--frames",
        "--max_frame_num",
        metavar="N",
        help="number of frames of the video, both keyframes included (%(default)s)",
    )
    add(
        "--fps",
        metavar="N",
        help="frame rate of the video; the model gets the same number as a hint (%(default)s)",
    )
    add_motion_bucket(InbetweenSampling, group)
    add("--keep-keyframes", help="put both keyframes into the video unchanged")


def _add_matching(group: argparse._ArgumentGroup) -> None:
    add_matcher(group)
    options_of(MatcherChoice, group)(
        "--matches",
        metavar="FILE",
        help="file of lines that were matched before (by `match`, by hand or by another program)",
    )
    add = options_of(Motion, group)
    add("--line-width", metavar="N", help="width of lines in pixels (%(default)s)")
    add(
        "--color-seed",
        metavar="N",
        help="seed of the lines' colours; it changes only which colour each line gets "
        "(%(default)s)",
    )


def _add_people(group: argparse._ArgumentGroup) -> None:
    add_detector(group)
    people = group.add_mutually_exclusive_group()
    options_of(InbetweenPoseChoice, people)(
        "--poses",
        nargs=2,
        metavar="FILE",
        help="files with the people of the first and of the last keyframe, JSON in OpenPose's "
        "format (by `pose` or another program)",
    )
    people.add_argument(
        "--no-poses", dest="poses", action="store_const", const=False, help="draw lines only"
    )


def _add_motion(group: argparse._ArgumentGroup) -> None:
    add = options_of(Motion, group)
    add(
        "--missing-joints",
        help="joints that only one keyframe shows: hide them, or hold them beside the body "
        "(%(default)s)",
    )
    add(
        "--missing-people",
        help="people whom only one keyframe shows: fade them, or drop them (%(default)s)",
    )
    add(
        "--timing",
        metavar="T",
        help="progress of the motion: reference (the frames next to the keyframes repeat them), "
        "uniform, ease-in, ease-out, ease-in-out, or numbers such as 0,0.2,1 (%(default)s)",
    )
    options_of(InbetweenSampling, group)(
        "--control-weight",
        "--control_weight",
        metavar="X",
        help="how strongly the control frames steer (%(default)s)",
    )


def _add_injection(group: argparse._ArgumentGroup) -> None:
    add = options_of(InbetweenSampling, group)
    add(
        "--noise-injection-steps",
        metavar="N",
        help="extra repetitions of each leading step, each after adding noise again; 0 switches "
        "them off (%(default)s)",
    )
    add(
        "--noise-injection-ratio",
        metavar="X",
        help="share of the steps that are repeated (%(default)s)",
    )


def _add_start(group: argparse._ArgumentGroup) -> None:
    options_of(InbetweenSampling, group)(
        "--from-preview",
        metavar="DENOISE",
        help="start from the preview of the motion instead of noise alone. DENOISE is the share of "
        "the noise levels that the steps pass: 0 keeps the preview, 1 is the same as without this "
        "option",
    )


def run(options: argparse.Namespace) -> None:
    """Draw the control frames, paint the frames and write both."""
    from ...inbetween import InbetweenPainter
    from ...media.pictures import read_keyframes
    from ...media.writing import frames_size, video_size, write_frames
    from ..progress import Bars
    from ..run_record import check_earlier_run, save_run

    spec = InbetweenSpec.from_options(vars(options))
    if not (spec.first and spec.last):
        lacking = f"{options.run.path} does not name both. " if options.run else ""
        raise UserError(
            f"{lacking}Two pictures are needed, the first frame and the last: "
            "python -m fcvg_core inbetween FIRST LAST -o OUT"
        )
    check_earlier_run(spec, options.run)
    keyframes = read_keyframes(spec.first, spec.last, spec.result.size)
    painter = InbetweenPainter(spec)
    with claim_folder(spec.output) as claim, Bars() as bars:
        if painter.models:
            shape = (spec.result.frames, *painter.size, 3)
            claim.reserve(frames_size(shape) + video_size(shape))
        found = painter.find_motion(keyframes, progress=bars)
        control = painter.draw_control(found)
        write_frames(claim.path / "condition", control)
        save_run(claim.path, options.command, spec, painter.models)
        if painter.models:
            start = painter.draw_start(keyframes, found, progress=bars)
            frames = painter.paint(keyframes, control, start=start, progress=bars)
            _write(claim, frames, spec.result.fps)
    if painter.models:
        print(f"video:      {claim.path / 'result.mp4'}")
        print(f"frames:     {claim.path / 'frames'}")
    print(f"conditions: {claim.path / 'condition'}")
    if painter.models and painter.models.stand_ins:
        print("The models were stand-ins: the frames are noise.")


def _write(claim: Claim, frames: np.ndarray, fps: float) -> None:
    """Write the frames, then the video; the disk's room is kept for both."""
    from ...media.writing import frames_size, video_size, write_frames, write_video

    def release(number: int) -> None:
        claim.release(frames_size(frames[number + 1 :].shape) + video_size(frames.shape))

    write_frames(claim.path / "frames", frames, before=release)
    claim.release()
    write_video(claim.path / "result.mp4", frames, fps)
