"""The command line's options. The reference's names are aliases of shorter ones."""

import argparse

from ... import bounds, choices
from ...catalogue.families import list_modes
from ...errors import UserError
from .option_groups import (
    OUTPUT,
    add_detector,
    add_device,
    add_job,
    add_machine,
    add_matcher,
    add_motion,
    add_sampling,
    add_size,
)
from .option_parser import Parser
from .option_rules import check_pairs, settle_names, without_replaced
from .option_types import PATH, TIMING, number, whole

EXAMPLES = {
    "inbetween": (
        "inbetween first.png last.png -o result",
        "inbetween first.png last.png -o look --conditions-only --timing ease-in-out",
        "inbetween first.png last.png -o small --width 512 --height 320 --offload",
        "inbetween --run result/run.json --seed 7",
    ),
    "animate": (
        "animate person.png dance.mp4 -o result",
        "animate person.png dance.mp4 -o look --conditions-only --frames 100 --smoothing 1",
        "animate person.png --control-frames look/condition -o result",
    ),
    "match": ("match first.png last.png -o lines",),
    "pose": (
        "pose *.png -o poses",
        "pose first.png last.png -o poses --width 1024 --height 576",
    ),
    "models": (
        "models",
        "models --get --mode inbetween",
        "models --get --mode inbetween --needed",
        "models --convert superpoint_v1.pth checkpoint_GlueStick_MD.tar",
    ),
    "doctor": ("doctor",),
    "stand-ins": ("stand-ins models",),
    "sample-frames": ("sample-frames frames --width 512 --height 320",),
}


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    """Options of the command line; `command` says which one was asked for.

    What is typed comes before what the file of --run says, and that before the defaults.

    Raises:
        UserError: two options contradict each other, there is no such device, or the file of
            --run is none, of another command, or holds what an option can't hold.
        SystemExit: an option is wrong (2), or only help was asked for (0).
    """
    parser, commands = _build_parser()
    typed = parser.parse_typed(arguments)
    name = typed.pop("command")
    command = commands[name]
    typed = settle_names(typed, command.spell)
    check_pairs(typed, command)
    saved = {}
    if "run" in typed:
        from .run_options import read_run_options  # needs numpy, which --help does without

        saved = read_run_options(typed["run"], name, command, typed)
        saved = without_replaced(saved, typed)
    defaults = settle_names(command.defaults, command.spell)
    options = argparse.Namespace(command=name, **{**defaults, **saved, **typed})
    if getattr(options, "device", "auto") != "auto":
        _check_device(options, where="" if "device" in typed else f"{options.run}: device: ")
    return options


def _check_device(options: argparse.Namespace, *, where: str) -> None:
    """Raise UserError where the device is not there; the message begins with `where`."""
    from ..networks.device import choose_device

    try:
        choose_device(options.device)
    except UserError as error:
        raise UserError(f"{where}{error} Give another --device.") from error


def _build_parser() -> tuple[Parser, dict[str, Parser]]:
    """The parser, and those of the commands."""
    parser = Parser(
        prog="python -m fcvg_core",
        description="Frames between two frames, painted along lines that both share (FCVG).",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    inbetween = commands.add_parser(
        "inbetween",
        help="two frames in, the video between them out",
        description="Paint the frames between two frames. Writes result.mp4, frames/, "
        "condition/ and run.json to a new folder.",
    )
    _add_files(inbetween.add_argument_group("files"))
    _add_video(inbetween.add_argument_group("video"))
    _add_conditions(inbetween.add_argument_group("conditions"))
    sampling = inbetween.add_argument_group("sampling")
    add_sampling(sampling, window=25, guidance=3.0)
    _add_injection(sampling)
    add_machine(inbetween.add_argument_group("machine"))
    _add_animate(commands)
    _add_match(commands)
    _add_pose(commands)
    _add_models(commands)
    commands.add_parser("doctor", help="look for what may keep the program from working here")
    stand_ins = commands.add_parser(
        "stand-ins", help="write tiny untrained models, to try the program with"
    )
    stand_ins.add_argument("folder", type=PATH, metavar="DIR")
    samples = commands.add_parser("sample-frames", help="write two sample frames, drawn by code")
    samples.add_argument("folder", type=PATH, metavar="DIR")
    add_size(samples)
    for name, command in commands.choices.items():
        lines = [f"  {parser.prog} {example}" for example in EXAMPLES[name]]
        command.epilog = "\n".join(["examples:", *lines])
        command.tell_typed_apart()
    return parser, commands.choices


# fmt: off
def _add_files(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("first", type=PATH, nargs="?", metavar="FIRST", help="picture that the video begins with")
    add("last", type=PATH, nargs="?", metavar="LAST", help="picture that it ends with")
    add("--image1_path", type=PATH, metavar="FILE", help="the same as FIRST")
    add("--image2_path", type=PATH, metavar="FILE", help="the same as LAST")
    add_job(group, family="FCVG")


def _add_match(commands) -> None:
    match = commands.add_parser(
        "match",
        help="find the lines that two frames share",
        description="Write the lines that two frames share as matches.json, which inbetween "
        "--matches takes, and as a picture.",
    )
    match.add_argument("first", type=PATH, metavar="FIRST", help="picture")
    match.add_argument("last", type=PATH, metavar="LAST", help="picture")
    match.add_argument("-o", "--output", type=PATH, required=True, metavar="OUT",
                       help=OUTPUT)
    add_size(match)
    add_matcher(match)
    add_device(match)


def _add_pose(commands) -> None:
    pose = commands.add_parser(
        "pose",
        help="find the people in pictures",
        description="Write the people of each picture as JSON in OpenPose's form, which inbetween "
        "--poses takes, and drawn.",
    )
    pose.add_argument("images", type=PATH, nargs="+", metavar="IMAGE", help="pictures")
    pose.add_argument("-o", "--output", type=PATH, required=True, metavar="OUT",
                      help=OUTPUT)
    add_size(pose, height=None, width=None)
    pose.add_argument("--style", choices=choices.POSE_STYLES, default=choices.POSE_STYLES[0],
                      help="whose lines are drawn (%(default)s)")
    add_detector(pose)
    add_device(pose)


def _add_models(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "models",
        help="list the model files, found and missing, or download them",
        description="List every model file: found or missing, where it is looked for, its size, "
        "licence and source. FCVG_MODELS names a folder of models, COMFYUI_PATH a ComfyUI; "
        "downloads go to the first of them.",
    )
    command.add_argument("--mode", choices=tuple(list_modes()), help="of this mode only")
    command.add_argument("--needed", action="store_true",
                         help="without what is optional: GlueStick, the non-commercial SuperPoint "
                         "and, for inbetween, DWPose")
    what = command.add_mutually_exclusive_group()
    what.add_argument("--get", action="store_true",
                      help="download what is missing; nothing is overwritten, and what broke off "
                      "is resumed")
    what.add_argument("--convert", nargs="+", type=PATH, metavar="FILE",
                      help="write the weights of .tar, .pth, .pt, .bin or .ckpt files as "
                      ".safetensors beside them")
    what.add_argument("--json", action="store_true", help="for other programs")


def _add_animate(commands: argparse._SubParsersAction) -> None:
    animate = commands.add_parser(
        "animate",
        help="a picture and a driving video in, the picture's person in its poses out",
        description="Animate a picture by the poses of a video (ControlNeXt-SVD). Writes "
        "result.mp4, side_by_side.mp4, condition/ and run.json to a new folder.",
    )
    group = animate.add_argument_group("files")
    add = group.add_argument
    add("image", type=PATH, nargs="?", metavar="IMAGE", help="picture of a person")
    add("video", type=PATH, nargs="?", metavar="VIDEO", help="video whose poses drive it")
    add("--ref_image_path", type=PATH, metavar="FILE", help="the same as IMAGE")
    add("--validation_control_video_path", type=PATH, metavar="FILE", help="the same as VIDEO")
    add("--control-frames", "--validation_control_images_folder", type=PATH, metavar="DIR",
        help="instead of VIDEO: control frames that are drawn already, as pictures")
    add_job(group, family="ControlNeXt-SVD")
    group = animate.add_argument_group("video")
    add = group.add_argument
    add_size(group, height=768, width=512)
    add("--frames", "--max_frame_num", type=whole(bounds.ANIMATION_FRAMES), default=240,
        metavar="N",
        help="at most as many are made; the first one has the picture's own pose (%(default)s)")
    add("--stride", "--sample_stride", type=whole(bounds.STRIDE), default=2, metavar="N",
        help="every N-th frame of VIDEO counts; of fast videos, fewer (%(default)s)")
    add("--fps", type=number(bounds.FILE_FPS), metavar="X",
        help="frames a second of the files; by default those of VIDEO by the stride, or 14")
    add("--one-person", action=argparse.BooleanOptionalAction, default=True,
        help="follow the person who stays longest; else everybody is drawn (%(default)s)")
    add("--smoothing", type=number(bounds.SMOOTHING), default=0.0, metavar="X",
        help="against jitter of the poses, in frames (%(default)s)")
    add_detector(group)
    add_motion(group, bucket=128)
    add("--control-weight", type=number(bounds.CONTROL_WEIGHT), default=1.0, metavar="X",
        help="how strongly the poses steer (%(default)s)")
    add_sampling(animate.add_argument_group("sampling"), window=24, guidance=2.0)
    add_machine(animate.add_argument_group("machine"))


def _add_video(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add_size(group)
    add("--frames", "--max_frame_num", type=whole(bounds.FRAMES), default=25, metavar="N",
        help="of the video, both keyframes included (%(default)s)")
    add("--fps", type=whole(bounds.FPS), default=7, metavar="N",
        help="frames a second, of the file and of the motion that is painted (%(default)s)")
    add_motion(group, bucket=127)
    add("--keep-keyframes", action=argparse.BooleanOptionalAction, default=False,
        help="put the two given frames back exactly")


def _add_conditions(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add_matcher(group)
    add("--matches", type=PATH, metavar="FILE",
        help="lines that were matched before (by `match`, by hand or by another program)")
    add("--line-width", type=whole(bounds.LINE_WIDTH), default=1, metavar="N",
        help="in pixels (%(default)s)")
    add("--color-seed", type=whole(bounds.COLOR_SEED), default=0, metavar="N",
        help="which line gets which colour; any number will do (%(default)s)")
    add_detector(group)
    people = group.add_mutually_exclusive_group()
    people.add_argument("--poses", type=PATH, nargs=2, metavar="FILE",
        help="people of both frames, as JSON in OpenPose's form (by `pose` or another program)")
    people.add_argument("--no-poses", dest="poses", action="store_const", const=False,
                        help="lines only")
    add("--missing-joints", choices=choices.MISSING_JOINTS, default=choices.MISSING_JOINTS[0],
        help="joints that one frame does not show: hide, or hold beside the body (%(default)s)")
    add("--missing-people", choices=choices.MISSING_PEOPLE, default=choices.MISSING_PEOPLE[0],
        help="people that one frame does not show: fade, or drop (%(default)s)")
    add("--timing", type=TIMING, default=choices.REFERENCE, metavar="T",
        help="of the motion: reference (the frames beside both ends show the ends), uniform, "
        "ease-in, ease-out, ease-in-out, or numbers such as 0,0.2,1 (%(default)s)")
    add("--control-weight", "--control_weight", type=number(bounds.CONTROL_WEIGHT), default=1.0,
        metavar="X",
        help="how strongly the conditions steer (%(default)s)")


def _add_injection(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--noise-injection-steps", type=whole(bounds.INJECTION_TIMES), default=0, metavar="N",
        help="how often each of the first steps is taken again with new noise (%(default)s)")
    add("--noise-injection-ratio", type=number(bounds.SHARE), default=0.0, metavar="X",
        help="share of the steps that are taken again (%(default)s)")
# fmt: on
