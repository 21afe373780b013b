"""`animate`: a picture and a driving video in, a video of the picture's person out."""

import argparse

from ....files.claim import claim_folder
from ...spec import AnimateSampling, AnimateSpec, AnimateVideo, Driving
from ...spec.values import PATH
from ..animate_work import AnimateWork
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


WORK = AnimateWork


def read_spec(options: argparse.Namespace) -> AnimateSpec:
    """What the options say."""
    return AnimateSpec.from_options(vars(options))


def run(options: argparse.Namespace) -> None:
    """Draw the poses, paint the frames and write both."""
    from ..progress import Bars
    from ..run_record import check_earlier_run

    work = AnimateWork(read_spec(options))
    work.check_named(options.run)
    check_earlier_run(work.spec, options.run)
    _ = work.picture, work.source  # what can't be read is known before models are looked at
    painter = work.open()
    _ = work.reference
    with claim_folder(work.spec.output) as claim, Bars() as bars:
        work.finish(painter, None, claim, bars)
    if painter.models:
        print(f"video:        {claim.path / 'result.mp4'}")
        print(f"side by side: {claim.path / 'side_by_side.mp4'}")
    print(f"conditions:   {claim.path / 'condition'}")
    if painter.models and painter.models.stand_ins:
        print("The models were stand-ins: the frames are noise.")
