"""Options of the command that makes videos with DropletVideo; also as the official code names them.

The official names and defaults are those of IEIT-AGI/DropletVideo inference.py. Differs: a picture
of another shape is cropped, not stretched (`--fit stretch`), and the video has the frames that were
asked for, not up to three more (`--kept-frames official`).
"""

import argparse

from ..spec import DropletClip, DropletMachine, DropletModelChoice, DropletSampling, DropletSpec
from ..spec.values import PATH
from .option_groups import add_fit, add_loading, add_run, options_of

# Official names of options that set what an option of this program sets.
OFFICIAL = {"ref_img_dir": "first"}


def add_droplet_files(group: argparse._ArgumentGroup) -> None:
    """Pictures, texts, model, and where a run writes."""
    add = options_of(DropletSpec, group)
    add("first", nargs="?", metavar="IMAGE", help="the picture that the video begins with")
    group.add_argument("--ref_img_dir", type=PATH, metavar="IMAGE", help="the same as IMAGE")
    add(
        "--prompt",
        metavar="TEXT",
        help="what the video shows, what moves, and how the camera moves; the model was trained "
        "with captions of about 200 words",
    )
    add(
        "--quality-words",
        help="whether the official words about quality follow the prompt (%(default)s)",
    )
    add(
        "--negative-prompt",
        metavar="TEXT",
        help="what the video should not show; it follows the official negative prompt",
    )
    add(
        "--default-negative",
        help="whether the official negative prompt is used (%(default)s)",
    )
    add(
        "--last",
        metavar="IMAGE",
        help="a picture that the video ends with, for which the model was NOT trained",
    )
    add_run(group, DropletSpec)
    _add_models(group)


def _add_models(group: argparse._ArgumentGroup) -> None:
    add = options_of(DropletModelChoice, group)
    add(
        "--ckpt",
        metavar="DIR",
        help="the official folder DropletVideo-V1.0-weights, or a transformer in a file of its "
        "own. A model that is not named is looked for in FCVG_MODELS, then in ComfyUI's folders. "
        "A run downloads nothing; the command models --get does",
    )
    for name, what in (
        ("--transformer", "DropletVideo's transformer"),
        ("--text-encoder", "T5 v1.1 XXL"),
        ("--vae", "the VAE"),
    ):
        add(name, metavar="FILE", help=f"{what}, a file or a folder: used instead of --ckpt's")
    add("--tokenizer", metavar="DIR", help="folder with T5's spiece.model or tokenizer.json")


def add_droplet_video(group: argparse._ArgumentGroup) -> None:
    """Size, length and frame rate."""
    add = options_of(DropletClip, group)
    for name in ("--height", "--width"):
        add(
            name,
            metavar="N",
            help="in pixels, a multiple of 16; trained from 512 x 512 to 1120 x 640 and 896 x 896 "
            "(%(default)s)",
        )
    add(
        "--pad-to-16",
        "--pad",
        help="also take a height or width that is no multiple of 16: the border of the picture is "
        "repeated at the right and below, and cut off again from the video",
    )
    add_fit(group)
    add(
        "--frames",
        "--video_length",
        metavar="N",
        help="number of frames: 5, 9, 13 ..., others are rounded down (%(default)s)",
    )
    add(
        "--kept-frames",
        help="trimmed: as many frames as were asked for; official: also the up to three frames "
        "more that the VAE makes, 88 for 85 (%(default)s)",
    )
    add("--file-fps", metavar="X", help="frame rate of the written video (%(default)s)")
    add("--keep-keyframes", help="put the given pictures into the video unchanged")


def add_droplet_sampling(group: argparse._ArgumentGroup) -> None:
    """How the video is sampled."""
    add = options_of(DropletSampling, group)
    add(
        "--FPS",
        metavar="N",
        help="how much moves: a lower number moves more from frame to frame; published samples "
        "have 4, 8, 16 and 32. By default what --target-motion asks for, otherwise 16",
    )
    add(
        "--target-motion",
        metavar="X|FILE",
        help="prints an FPS to try, and uses it unless --FPS is given: for pixels that move over "
        "the video by X diagonals of the frame, as far as to the end picture FILE, or as far as "
        "in the clip FILE. A guess, with no claim of accuracy",
    )
    add("--steps", "--num_inference_steps", metavar="N", help="steps of DDIM (%(default)s)")
    add(
        "--guidance",
        "--guidance_scale",
        metavar="X",
        help="how strongly the prompt steers; 1 is without guidance (%(default)s)",
    )
    add(
        "--augmentation",
        metavar="X",
        help="standard deviation of the noise on the given pictures, for pixels in -1..1; by "
        "default 0.0563 if the model was trained with such noise, otherwise 0",
    )
    add("--augmentation-seed", metavar="N", help="seed of this noise (%(default)s)")
    add(
        "--seed",
        metavar="N",
        help="seed of the noise at the start, 0 to 2**64 - 1; for a negative number a seed is "
        "drawn (%(default)s)",
    )


def add_droplet_machine(group: argparse._ArgumentGroup) -> None:
    """Device, number format and memory."""
    add_loading(group)
    options_of(DropletMachine, group)(
        "--tiling",
        help="decode the frames in tiles, which needs less memory; otherwise only if memory runs "
        "out",
    )
