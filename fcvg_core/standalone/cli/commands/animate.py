"""`animate`: a picture and a driving video in, a video of the picture's person out."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from ....errors import UserError
from ....files.claim import Claim, claim_folder
from ....files.writing import explained
from ....signals import uninterrupted
from ...spec import AnimateSampling, AnimateSpec, AnimateVideo, Driving
from ...spec.values import PATH
from ..option_groups import (
    add_detector,
    add_machine,
    add_models,
    add_run,
    add_size,
    options_of,
)
from ..option_rules import Rules
from ..sampling_options import PRESET, add_draft, add_motion_bucket, add_sampling

if TYPE_CHECKING:
    import numpy as np

    from ....video import Sound
    from ...animate import AnimationPainter
    from ...driving_source import DrivingSource
    from ..progress import Bars

HELP = "animate the person of a picture by the poses of a video"
DESCRIPTION = (
    "Animate the person of a picture by the poses of a video (ControlNeXt-SVD). Writes result.mp4, "
    "side_by_side.mp4, condition/ (the control frames) and run.json to a new folder."
)
EXAMPLES = (
    "animate person.png dance.mp4 -o result",
    "animate person.png dance.mp4 -o look --conditions-only --frames 100 --smoothing 1",
    "animate person.png --control-frames look/condition -o result",
    "animate person.png --control-frames drawn_poses.mp4 -o result",
    "animate person.png dance.mp4 -o quick --fast",
)
SPEC = AnimateSpec
RULES = Rules(
    aliases={  # the official code's names
        "ref_image_path": "image",
        "validation_control_video_path": "video",
    },
    pairs=(("video", "control_frames"), ("drawn", "control_frames")),
    replaces={"video": "control_frames", "control_frames": "video"},
    presets={"fast": PRESET},
)
PICTURES = 4  # of a frame in both videos: picture, poses and result side by side, result alone


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    _add_files(parser.add_argument_group("files"))
    video = parser.add_argument_group("video")
    _add_video(video)
    add_detector(video)
    add_motion_bucket(AnimateSampling, video)
    options_of(AnimateSampling, video)(
        "--control-weight", metavar="X", help="how strongly the control frames steer (%(default)s)"
    )
    add_sampling(AnimateSampling, parser.add_argument_group("sampling"))
    machine = parser.add_argument_group("machine")
    add_machine(machine)
    add_draft(machine)


def _add_files(group: argparse._ArgumentGroup) -> None:
    add = options_of(AnimateSpec, group)
    add("image", nargs="?", metavar="IMAGE", help="picture of a person")
    add("video", nargs="?", metavar="VIDEO", help="driving video: its poses move the person")
    group.add_argument("--ref_image_path", type=PATH, metavar="FILE", help="the same as IMAGE")
    group.add_argument(
        "--validation_control_video_path", type=PATH, metavar="FILE", help="the same as VIDEO"
    )
    add(
        "--control-frames",
        "--validation_control_images_folder",
        metavar="PATH",
        help="folder of pictures, or video, of control frames that are drawn already, instead of "
        "VIDEO",
    )
    add_run(group)
    add_models(group, models="ControlNeXt-SVD")


def _add_video(group: argparse._ArgumentGroup) -> None:
    add = options_of(AnimateVideo, group)
    add_size(group, AnimateVideo)
    add(
        "--frames",
        "--max_frame_num",
        metavar="N",
        help="maximum number of frames; the first shows the picture's own pose (%(default)s)",
    )
    drive = options_of(Driving, group)
    drive(
        "--stride",
        "--sample_stride",
        metavar="N",
        help="use every N-th frame: by default every second frame of a film, whose frames are "
        "used more sparsely still if it is fast, and every frame of drawn poses",
    )
    drive(
        "--drawn",
        help="VIDEO shows drawn poses: use its frames as control frames; --no-drawn: look for "
        "people in it. By default drawn poses are recognised",
    )
    add(
        "--fps",
        metavar="X",
        help="frame rate of the written videos; by default the frame rate of the video divided by "
        "the stride, or 14 for a folder of control frames",
    )
    add("--audio", help="keep the video's sound, which is the default; --no-audio writes none")
    drive(
        "--one-person",
        help="draw only the person who is seen most, which is the default; --no-one-person draws "
        "everybody",
    )
    drive(
        "--smoothing",
        metavar="X",
        help="how strongly poses are smoothed over time against jitter, in frames (%(default)s)",
    )


def run(options: argparse.Namespace) -> None:
    """Draw the poses, paint the frames and write both."""
    from ...animate import AnimationPainter
    from ...driving_source import DrivingSource
    from ...media.pictures import fit_picture, read_frame
    from ...media.writing import video_size, write_frames
    from ..progress import Bars
    from ..run_record import check_earlier_run, save_run

    spec = AnimateSpec.from_options(vars(options))
    if not spec.image or bool(spec.video) == bool(spec.control_frames):
        lacking = f"{options.run.path} does not name both. " if options.run else ""
        raise UserError(
            f"{lacking}A picture and either a driving video or control frames are needed: "
            "python -m fcvg_core animate IMAGE VIDEO -o OUT"
        )
    check_earlier_run(spec, options.run)
    picture = read_frame(spec.image)
    source = DrivingSource.of(spec)
    painter = AnimationPainter(spec)
    result = spec.result
    reference = fit_picture(picture, result.size, result.fit, result.anchor, name=spec.image)
    with claim_folder(spec.output) as claim, Bars() as bars:
        if painter.models:
            claim.reserve(PICTURES * video_size((spec.result.frames, *painter.size, 3)))
        control, fps = _control_frames(painter, source, reference, bars)
        write_frames(claim.path / "condition", control)
        save_run(claim.path, options.command, spec, painter.models)
        if painter.models:
            played = spec.result.fps or fps
            sound = source.read_sound(len(control), fps, played) if spec.result.audio else None
            frames = painter.paint(reference, control, progress=bars)
            _write_videos(claim, frames, reference, control, played, sound)
    if painter.models:
        print(f"video:        {claim.path / 'result.mp4'}")
        print(f"side by side: {claim.path / 'side_by_side.mp4'}")
    print(f"conditions:   {claim.path / 'condition'}")
    if painter.models and painter.models.stand_ins:
        print("The models were stand-ins: the frames are noise.")


def _control_frames(
    painter: AnimationPainter, source: DrivingSource, reference: np.ndarray, bars: Bars
) -> tuple[np.ndarray, float]:
    """Control frames [T, H, W, 3], T >= 2, and their frame rate per second."""
    from ....control import fit_control_frames

    result = painter.spec.result
    frames, fps = source.read(result.frames)
    with closing(frames):
        if source.drawn:
            return fit_control_frames(frames, result.size, result.fit, result.anchor), fps
        return painter.draw_control(reference, frames, progress=bars), fps


def _write_videos(
    claim: Claim,
    frames: Iterator[np.ndarray],
    reference: np.ndarray,
    control: np.ndarray,
    fps: float,
    sound: Sound | None,
) -> None:
    """Write both videos, frame by frame as the frames are decoded."""
    from ....frames import side_by_side
    from ...media.video import VideoWriter
    from ...media.writing import video_size

    with explained(claim.path), ExitStack() as stack:
        # The result is closed first.
        compared, result = (
            stack.enter_context(VideoWriter(claim.path / name, fps, sound=sound))
            for name in ("side_by_side.mp4", "result.mp4")
        )
        for i, (frame, steered) in enumerate(zip(frames, control, strict=True)):
            claim.release(PICTURES * video_size(control[i + 1 :].shape))  # frames still to come
            with uninterrupted():
                result.write(frame)
                compared.write(side_by_side(reference, steered, frame))
