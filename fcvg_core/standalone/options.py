"""The command line's options. The reference's names are aliases of shorter ones."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from .output import read_run

# What the room `pose` knows, repeated: it needs torch, and help should come at once.
STYLES = ("fcvg", "controlnext-svd-v2")
MISSING_JOINTS = ("hide", "hold")
MISSING_PEOPLE = ("fade", "drop")


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the long list of options before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"Error: {message}. All options: {self.prog} --help\n")


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    """Options of the command line; `command` says which one was asked for.

    Raises:
        ValueError: the file of --run is none.
        SystemExit: an option is wrong (2), or only help was asked for (0).
    """
    parser, inbetween = _build_parser()
    options = parser.parse_args(arguments)
    if getattr(options, "run", None):
        saved = read_run(options.run)["options"]
        known = {action.dest for action in inbetween._actions} - {"run", "help"}
        inbetween.set_defaults(**{k: _as_typed(v) for k, v in saved.items() if k in known})
        options = parser.parse_args(arguments)
    return options


def _as_typed(value):
    """A saved number as the text that was typed, so that it passes the same checks."""
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _build_parser() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    parser = _Parser(
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
    _add_sampling(inbetween.add_argument_group("sampling"))
    _add_machine(inbetween.add_argument_group("machine"))
    _add_match(commands)
    _add_pose(commands)
    stand_ins = commands.add_parser(
        "stand-ins", help="write tiny untrained models, to try the program with"
    )
    stand_ins.add_argument("folder", type=Path, metavar="DIR")
    samples = commands.add_parser("sample-frames", help="write two sample frames, drawn by code")
    samples.add_argument("folder", type=Path, metavar="DIR")
    _add_size(samples)
    return parser, inbetween


# fmt: off
def _add_files(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("first", type=Path, nargs="?", metavar="FIRST", help="picture that the video begins with")
    add("last", type=Path, nargs="?", metavar="LAST", help="picture that it ends with")
    add("--image1_path", type=Path, metavar="FILE", help="the same as FIRST")
    add("--image2_path", type=Path, metavar="FILE", help="the same as LAST")
    add("-o", "--output", "--output_dir", type=Path, default=Path("results"), metavar="OUT",
        help="folder to make; if it exists and holds anything, OUT_0001 ... is made (%(default)s)")
    add("--model", "--pretrained_model_name_or_path", metavar="DIR",
        help="SVD in diffusers' layout: a folder, or a name on huggingface.co")
    add("--unet", "--unet_path", type=Path, metavar="FILE", help="FCVG's unet.safetensors")
    add("--controlnext", "--controlnext_path", type=Path, metavar="FILE",
        help="FCVG's controlnext.safetensors. Models that are not named are looked for in the "
        "folder that the environment variable FCVG_MODELS names")
    add("--run", type=Path, metavar="FILE",
        help="take all options from the run.json of an earlier run; those given here win")
    add("--conditions-only", action=argparse.BooleanOptionalAction, default=False,
        help="write the condition pictures and stop; needs no models")


def _add_match(commands) -> None:
    match = commands.add_parser(
        "match",
        help="find the lines that two frames share",
        description="Write the lines that two frames share as matches.json, which inbetween "
        "--matches takes, and as a picture.",
    )
    match.add_argument("first", type=Path, metavar="FIRST", help="picture")
    match.add_argument("last", type=Path, metavar="LAST", help="picture")
    match.add_argument("-o", "--output", type=Path, required=True, metavar="OUT",
                       help="folder to make; if it exists, OUT_0001 ... is made")  # fmt: skip
    _add_size(match)
    _add_matcher(match)
    _add_device(match)


def _add_matcher(add_to: argparse._ActionsContainer) -> None:
    """Options of the line matchers, for every command that matches lines."""
    add = add_to.add_argument
    add("--matcher", choices=("auto", "gluestick", "classic"), default="auto",
        help="gluestick as in the paper, or classic, which needs no weights; auto is gluestick "
        "where both of its files are named or in FCVG_MODELS (%(default)s)")
    add("--gluestick", type=Path, metavar="FILE", help="checkpoint_GlueStick_MD.tar")
    add("--superpoint", type=Path, metavar="FILE",
        help="superpoint_v1.pth; for non-commercial research only")
    add("--max-lines", "--max_lines", type=_whole(1), default=300, metavar="N",
        help="segments to look for in each frame (%(default)s)")
    add("--max-pts", "--max_pts", type=_whole(1), default=1000, metavar="N",
        help="keypoints to look for in each frame; the classic matcher uses none "
        "(%(default)s)")  # fmt: skip


def _add_pose(commands) -> None:
    pose = commands.add_parser(
        "pose",
        help="find the people in pictures",
        description="Write the people of each picture as JSON in OpenPose's form, which inbetween "
        "--poses takes, and drawn.",
    )
    pose.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="pictures")
    pose.add_argument("-o", "--output", type=Path, required=True, metavar="OUT",
                      help="folder to make; if it exists, OUT_0001 ... is made")
    pose.add_argument("--style", choices=STYLES, default=STYLES[0],
                      help="whose lines are drawn (%(default)s)")
    _add_detector(pose)
    _add_device(pose)


def _add_detector(add_to: argparse._ActionsContainer) -> None:
    """Options of DWPose, for every command that finds people."""
    add = add_to.add_argument
    add("--dwpose-det", type=Path, metavar="FILE",
        help="DWPose's yolox_l.onnx; people are looked for where both of its files are named or "
        "in FCVG_MODELS")
    add("--dwpose-pose", type=Path, metavar="FILE", help="DWPose's dw-ll_ucoco_384.onnx")
    add("--whole-frame", action=argparse.BooleanOptionalAction, default=False,
        help="where nobody is found, take the whole picture for a person, as the reference does")
    add("--pose-width", type=_number(0.1, 10), default=1.0, metavar="X",
        help="times the width of people's lines as the model knows them (%(default)s)")


def _add_device(add_to: argparse._ActionsContainer) -> None:
    add_to.add_argument("--device", default="auto",
                        help="auto, cpu, cuda, cuda:1, mps ... (%(default)s)")  # fmt: skip


def _add_size(add_to: argparse._ActionsContainer) -> None:
    for name, default in (("--height", 576), ("--width", 1024)):
        add_to.add_argument(name, type=_whole(64), default=default, metavar="N",
                            help="in pixels, a multiple of 64 (%(default)s)")


def _add_video(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    _add_size(group)
    add("--frames", "--max_frame_num", type=_whole(2), default=25, metavar="N",
        help="of the video, both keyframes included (%(default)s)")
    add("--fps", type=_whole(1), default=7, metavar="N",
        help="frames a second, of the file and of the motion that is painted (%(default)s)")
    add("--motion-bucket", type=_number(0), default=127, metavar="X",
        help="how much motion, as SVD measures it (%(default)s)")
    add("--keep-keyframes", action=argparse.BooleanOptionalAction, default=False,
        help="put the two given frames back exactly")


def _add_conditions(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    _add_matcher(group)
    add("--matches", type=Path, metavar="FILE",
        help="lines that were matched before (by `match`, by hand or by another program)")
    add("--line-width", type=_whole(1), default=1, metavar="N", help="in pixels (%(default)s)")
    _add_detector(group)
    add("--poses", nargs=2, metavar="FILE",
        help="people of both frames, as JSON in OpenPose's form (by `pose` or another program)")
    add("--no-poses", action="store_true", help="lines only")
    add("--missing-joints", choices=MISSING_JOINTS, default=MISSING_JOINTS[0],
        help="joints that one frame does not show: hide, or hold beside the body (%(default)s)")
    add("--missing-people", choices=MISSING_PEOPLE, default=MISSING_PEOPLE[0],
        help="people that one frame does not show: fade, or drop (%(default)s)")
    add("--timing", type=_timing, default="reference", metavar="T",
        help="of the motion: reference (the frames beside both ends show the ends), uniform, "
        "ease-in, ease-out, ease-in-out, or numbers such as 0,0.2,1 (%(default)s)")
    add("--control-weight", "--control_weight", type=_number(0), default=1.0, metavar="X",
        help="how strongly the conditions steer (%(default)s)")


def _add_sampling(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--steps", "--num_inference_steps", type=_whole(1), default=25, metavar="N",
        help="of denoising (%(default)s)")
    add("--min-guidance", type=_number(0), default=3.0, metavar="X",
        help="at the keyframe that a direction starts from (%(default)s)")
    add("--max-guidance", type=_number(0), default=3.0, metavar="X",
        help="at the far keyframe (%(default)s)")
    add("--augmentation", type=_number(0), default=0.02, metavar="X",
        help="noise on the keyframes, as SVD counts it (%(default)s)")
    add("--window", "--batch_frames", type=_whole(2), default=25, metavar="N",
        help="frames that are painted at once (%(default)s)")
    add("--overlap", type=_whole(0), default=6, metavar="N",
        help="frames that neighbouring windows share (%(default)s)")
    add("--noise-injection-steps", type=_whole(0), default=0, metavar="N",
        help="how often each of the first steps is taken again with new noise (%(default)s)")
    add("--noise-injection-ratio", type=_number(0, 1), default=0.0, metavar="X",
        help="share of the steps that are, 0 to 1 (%(default)s)")
    add("--seed", type=_whole(0, 2**64 - 1), default=0, metavar="N",
        help="of all random numbers (%(default)s)")


def _add_machine(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    _add_device(group)
    add("--dtype", choices=("auto", "bf16", "fp16", "fp32"), default="auto",
        help="number format; auto is bf16 or fp16 on a GPU and fp32 on a CPU (%(default)s)")
    add("--offload", action=argparse.BooleanOptionalAction, default=False,
        help="have a network on the device only while it is used: slower, needs less memory")
    add("--decode-chunk", type=_whole(1), default=2, metavar="N",
        help="frames that the VAE decodes at once; it changes the picture a little "
        "(%(default)s)")
# fmt: on


def _timing(text: str) -> str | list[float]:
    """Type of an option: see `parse_timing`, which needs torch."""
    from ..timeline import parse_timing

    try:
        return parse_timing(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _whole(minimum: int, maximum: float = math.inf) -> Callable[[str], int]:
    """Type of an option: a whole number between two bounds."""
    return _bounded(int, "a whole number", minimum, maximum)


def _number(minimum: float, maximum: float = math.inf) -> Callable[[str], float]:
    """Type of an option: a finite number between two bounds."""
    return _bounded(float, "a number", minimum, maximum)


def _bounded(convert: Callable, what: str, minimum: float, maximum: float) -> Callable:
    bounds = f"of at least {minimum}" if maximum == math.inf else f"from {minimum} to {maximum}"

    def parse(text: str):
        try:
            value = convert(text)
        except ValueError:
            value = None
        # Not a number and infinity fail here as well.
        if value is None or not minimum <= value <= maximum or value == math.inf:
            raise argparse.ArgumentTypeError(f"expected {what} {bounds}, got {text!r}")
        return value

    return parse
