"""Groups of options that several commands share.

Kind and default of an option are those of the setting of the same name in a part of the spec.
"""

import argparse
from collections.abc import Callable

from ..spec import (
    AnyMachine,
    Machine,
    MatcherChoice,
    PoseChoice,
    PreviewSpec,
    PreviewVideo,
    RunSpec,
    SteeredSpec,
)
from ..spec.part import Part
from ..spec.parts import Size
from ..spec.values import PATH, SWITCH

OUTPUT = "folder for the results; if it holds anything already, OUT_0001 and so on is used instead"


def options_of(part: type[Part], add_to: argparse._ActionsContainer) -> Callable[..., None]:
    """A function that adds options for the settings of a part.

    Its arguments are those of argparse's `add_argument`, without kind and default. The first name
    with two dashes, or the name of a positional argument, says which setting it is.
    """
    settings = part.settings_by_key()

    def add(*names: str, metavar: str | None = None, **more) -> None:
        key = next(x for x in names if not x.startswith("-") or x.startswith("--"))
        found = settings[key.lstrip("-").replace("-", "_")]
        kind = found.metadata["kind"]
        if kind is SWITCH:
            more["action"] = argparse.BooleanOptionalAction
        elif kind.choices:
            more["choices"] = kind.choices
        else:
            more |= {"type": kind, "metavar": metavar}
        add_to.add_argument(*names, default=found.default, **more)

    return add


def add_run(
    group: argparse._ArgumentGroup,
    spec: type[RunSpec] = RunSpec,
    *,
    official: tuple[str, ...] = ("--output_dir",),
) -> None:
    """Where a run writes, and which earlier run it repeats.

    Args:
        spec: its job, which says where it writes by default.
        official: other names of the option for the folder.
    """
    options_of(spec, group)(
        "-o", "--output", *official, metavar="OUT", help=f"{OUTPUT} (%(default)s)"
    )
    group.add_argument(
        "--run",
        type=PATH,
        metavar="FILE",
        help="repeat an earlier run: take all options from its run.json; options that you type "
        "replace those of the file",
    )


def add_models(group: argparse._ArgumentGroup, *, models: str) -> None:
    """Which models a run uses, if it paints.

    Args:
        models: name of the models, for the help.
    """
    add = options_of(SteeredSpec, group)
    add(
        "--model",
        "--pretrained_model_name_or_path",
        metavar="DIR",
        help="folder of SVD in diffusers' layout, the folder with model_index.json",
    )
    add("--unet", "--unet_path", metavar="FILE", help=f"{models}'s UNet")
    add(
        "--controlnext",
        "--controlnext_path",
        metavar="FILE",
        help=f"{models}'s ControlNeXt. A model that is not named is looked for in FCVG_MODELS, "
        "then in ComfyUI's folders. A run downloads nothing; the command models --get does",
    )
    add(
        "--conditions-only",
        help="write only the control frames; the models that paint are not needed",
    )


def add_keyframes(group: argparse._ArgumentGroup) -> None:
    """The pictures of a video; the first two also by the names of the official code."""
    add = options_of(PreviewSpec, group)
    add("first", nargs="?", metavar="FIRST", help="picture that the video begins with")
    add("last", nargs="?", metavar="LAST", help="picture that the video ends with")
    add(
        "between",
        nargs="*",
        metavar="MORE",
        action=_KeyframesBetween,
        help="more pictures, for more than two keyframes: all stand in the order of time, and the "
        "video ends with the last one",
    )
    group.add_argument("--image1_path", type=PATH, metavar="FILE", help="the same as FIRST")
    group.add_argument("--image2_path", type=PATH, metavar="FILE", help="the same as LAST")


class _KeyframesBetween(argparse.Action):
    """Takes pictures after the second: the last one is LAST, all others are between."""

    def __call__(self, parser, namespace, values, option_string=None):
        if isinstance(values, list):  # not the default
            namespace.between = [namespace.last, *values[:-1]]
            namespace.last = values[-1]


def add_video(group: argparse._ArgumentGroup, *, fps: str) -> None:
    """The video between keyframes.

    Args:
        fps: what the frame rate is, for the help.
    """
    add = options_of(PreviewVideo, group)
    add_size(group, PreviewVideo)
    add(
        "--frames",
        "--max_frame_num",
        metavar="N",
        help="number of frames of the video, all keyframes included (%(default)s; with more than "
        "two keyframes 25 from each to the next)",
    )
    options_of(PreviewSpec, group)(
        "--at",
        metavar="N,N,...",
        help="the frame of each keyframe, from 0 to the last frame of the video, such as 0,24,60: "
        "at least 4 frames from each to the next, both included. By default the keyframes are "
        "spread evenly",
    )
    add("--fps", metavar="N", help=f"{fps} (%(default)s)")


def add_matcher(add_to: argparse._ActionsContainer) -> None:
    """Options of the line matchers, for every command that matches lines."""
    add = options_of(MatcherChoice, add_to)
    add(
        "--matcher",
        help="gluestick, the paper's matcher, or classic, which needs no weights; auto is "
        "gluestick if both of its files are named or found (%(default)s)",
    )
    add("--gluestick", metavar="FILE", help="checkpoint_GlueStick_MD.tar")
    add(
        "--superpoint",
        metavar="FILE",
        help="superpoint_v1.pth; for non-commercial research only",
    )
    add(
        "--max-lines",
        "--max_lines",
        metavar="N",
        help="maximum number of line segments in each frame; the strongest are kept (%(default)s)",
    )
    add(
        "--max-pts",
        "--max_pts",
        metavar="N",
        help="maximum number of keypoints in each frame; the classic matcher uses no keypoints "
        "(%(default)s)",
    )


def add_detector(add_to: argparse._ActionsContainer) -> None:
    """Options of DWPose, for every command that finds people."""
    add = options_of(PoseChoice, add_to)
    add(
        "--dwpose-det",
        metavar="FILE",
        help="DWPose's yolox_l.onnx; poses are detected only if both files of DWPose are named or "
        "found",
    )
    add("--dwpose-pose", metavar="FILE", help="DWPose's dw-ll_ucoco_384.onnx")
    add(
        "--whole-frame",
        help="if nobody is found, take the whole picture for a person, as the official code does",
    )
    add(
        "--pose-width",
        metavar="X",
        help="width of people's lines, in multiples of the width that the model was trained on "
        "(%(default)s)",
    )


def add_device(add_to: argparse._ActionsContainer) -> None:
    """Where networks run."""
    options_of(AnyMachine, add_to)(
        "--device", help="auto, cpu, cuda, cuda:1, mps ... (%(default)s)"
    )


def add_size(add_to: argparse._ActionsContainer, part: type[Size] = Size) -> None:
    """Size of the frames, and how pictures of another size are brought to it."""
    for name in ("--height", "--width"):
        options_of(part, add_to)(
            name, metavar="N", help="in pixels, a multiple of 64 (%(default)s)"
        )
    add_fit(add_to)


def add_fit(add_to: argparse._ActionsContainer, part: type[Size] = Size) -> None:
    """How pictures of another size are brought to the size of the frames."""
    add = options_of(part, add_to)
    add(
        "--fit",
        help="for a picture of another shape: crop cuts off what does not fit, pad adds black "
        "bars, stretch changes the proportions (%(default)s)",
    )
    add(
        "--anchor",
        help="the part of a picture that --fit crop keeps, or where --fit pad puts the picture "
        "(%(default)s)",
    )


def add_machine(
    group: argparse._ArgumentGroup, *, chunk: str = "this number changes the picture a little"
) -> None:
    """Device, number format and memory, for commands that paint.

    Args:
        chunk: what the number of frames that are decoded at once does, for the help.
    """
    add_loading(group)
    options_of(Machine, group)(
        "--decode-chunk",
        metavar="N",
        help=f"frames that the VAE decodes at once; {chunk} (%(default)s)",
    )


def add_loading(group: argparse._ArgumentGroup) -> None:
    """Device, number format, and whether networks lie on the device only while they are used."""
    add = options_of(AnyMachine, group)
    add_device(group)
    add(
        "--dtype",
        help="number format; auto is bf16 or fp16 on a GPU and fp32 on a CPU (%(default)s)",
    )
    add(
        "--offload",
        help="keep a network on the device only while it is used: slower, but needs less memory",
    )
