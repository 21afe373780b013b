"""Options that several commands share."""

import argparse
from pathlib import Path

from ... import bounds, choices
from .option_types import DEVICE, PATH, SIZE_TYPE, number, whole

OUTPUT = "folder to make; if it exists and holds anything, OUT_0001 ... is made"


# fmt: off
def add_job(group: argparse._ArgumentGroup, *, family: str) -> None:
    """Where a run writes, which models it takes, and which earlier one it repeats."""
    add = group.add_argument
    add("-o", "--output", "--output_dir", type=PATH, default=Path("results"), metavar="OUT",
        help=f"{OUTPUT} (%(default)s)")
    add("--model", "--pretrained_model_name_or_path", type=PATH, metavar="DIR",
        help="folder of SVD in diffusers' layout, the one with model_index.json")
    add("--unet", "--unet_path", type=PATH, metavar="FILE", help=f"{family}'s UNet")
    add("--controlnext", "--controlnext_path", type=PATH, metavar="FILE",
        help=f"{family}'s ControlNeXt. Models that are not named are looked for in FCVG_MODELS, "
        "then in ComfyUI's folders. Nothing is downloaded: the command models --get does that")
    add("--run", type=PATH, metavar="FILE",
        help="take all options from the run.json of an earlier run; those given here win")
    add("--conditions-only", action=argparse.BooleanOptionalAction, default=False,
        help="write the condition pictures and stop; needs no models that paint")


def add_motion(group: argparse._ArgumentGroup, *, bucket: int) -> None:
    """How much motion SVD is told."""
    group.add_argument("--motion-bucket", type=number(bounds.MOTION_BUCKET), default=bucket,
                       metavar="X", help="how much motion, as SVD measures it (%(default)s)")


def add_sampling(group: argparse._ArgumentGroup, *, window: int, guidance: float) -> None:
    """How a video is sampled, in one direction or in both."""
    add = group.add_argument
    add("--steps", "--num_inference_steps", type=whole(bounds.STEPS), default=25,
        metavar="N", help="of denoising (%(default)s)")
    add("--min-guidance", type=number(bounds.GUIDANCE), default=guidance, metavar="X",
        help="at a window's first frame, or at the keyframe a direction starts from (%(default)s)")
    add("--max-guidance", type=number(bounds.GUIDANCE), default=guidance, metavar="X",
        help="at the other end (%(default)s)")
    add("--guidance_scale", type=number(bounds.GUIDANCE), metavar="X", help="both at once")
    add("--augmentation", type=number(bounds.AUGMENTATION), default=0.02, metavar="X",
        help="noise on the given pictures, as SVD counts it (%(default)s)")
    add("--window", "--batch_frames", type=whole(bounds.WINDOW), default=window, metavar="N",
        help="frames that are painted at once (%(default)s)")
    add("--overlap", type=whole(bounds.OVERLAP), default=6, metavar="N",
        help="frames that neighbouring windows share (%(default)s)")
    add("--seed", type=whole(bounds.SEED), default=0, metavar="N",
        help="of all noise: another number is another take (%(default)s)")


def add_matcher(add_to: argparse._ActionsContainer) -> None:
    """Options of the line matchers, for every command that matches lines."""
    add = add_to.add_argument
    add("--matcher", choices=choices.MATCHERS, default=choices.MATCHERS[0],
        help="gluestick as in the paper, or classic, which needs no weights; auto is gluestick "
        "where both of its files are named or found (%(default)s)")
    add("--gluestick", type=PATH, metavar="FILE", help="checkpoint_GlueStick_MD.tar")
    add("--superpoint", type=PATH, metavar="FILE",
        help="superpoint_v1.pth; for non-commercial research only")
    add("--max-lines", "--max_lines", type=whole(bounds.MAX_LINES), default=300, metavar="N",
        help="segments to look for in each frame (%(default)s)")
    add("--max-pts", "--max_pts", type=whole(bounds.MAX_KEYPOINTS), default=1000, metavar="N",
        help="keypoints to look for in each frame; the classic matcher uses none "
        "(%(default)s)")


def add_detector(add_to: argparse._ActionsContainer) -> None:
    """Options of DWPose, for every command that finds people."""
    add = add_to.add_argument
    add("--dwpose-det", type=PATH, metavar="FILE",
        help="DWPose's yolox_l.onnx; people are looked for where both of its files are named or "
        "found")
    add("--dwpose-pose", type=PATH, metavar="FILE", help="DWPose's dw-ll_ucoco_384.onnx")
    add("--whole-frame", action=argparse.BooleanOptionalAction, default=False,
        help="where nobody is found, take the whole picture for a person, as the reference does")
    add("--pose-width", type=number(bounds.POSE_WIDTH), default=1.0, metavar="X",
        help="times the width of people's lines as the model knows them (%(default)s)")


def add_device(add_to: argparse._ActionsContainer) -> None:
    """Where networks run."""
    add_to.add_argument("--device", type=DEVICE, default="auto",
                        help="auto, cpu, cuda, cuda:1, mps ... (%(default)s)")


def add_size(
    add_to: argparse._ActionsContainer, *, height: int | None = 576, width: int | None = 1024
) -> None:
    """Size of the frames; None keeps that of the pictures."""
    for name, default in (("--height", height), ("--width", width)):
        kept = "%(default)s" if default else "with both, pictures are cropped as inbetween does"
        add_to.add_argument(name, type=SIZE_TYPE, default=default, metavar="N",
                            help=f"in pixels, a multiple of 64 ({kept})")


def add_machine(group: argparse._ArgumentGroup) -> None:
    """Everything about the machine, for commands that paint."""
    add = group.add_argument
    add_device(group)
    add("--dtype", choices=choices.PRECISIONS, default=choices.PRECISIONS[0],
        help="number format; auto is bf16 or fp16 on a GPU and fp32 on a CPU (%(default)s)")
    add("--offload", action=argparse.BooleanOptionalAction, default=False,
        help="have a network on the device only while it is used: slower, needs less memory")
    add("--decode-chunk", type=whole(bounds.DECODE_CHUNK), default=2, metavar="N",
        help="frames that the VAE decodes at once; it changes the picture a little "
        "(%(default)s)")
# fmt: on
