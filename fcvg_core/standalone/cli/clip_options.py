"""Options of the commands that make clips with DynamiCrafter; also as the official code names them.

The official names are those of Doubiiu/DynamiCrafter scripts/evaluation/inference.py. Differs: the
defaults are those of the official scripts (scripts/run.sh), not those of the official parser, which
paint at 512 x 512 without guidance and with an `fs` of 3.
"""

import argparse

from ...models.dynamicrafter.variants import VARIANTS
from ..spec import ClipModelChoice, ClipSampling, ClipSpec, ClipVideo
from ..spec.values import PATH, ValueKind
from .option_groups import add_fit, add_machine, add_run, options_of
from .sampling_options import add_draft

# Official names of options that set what an option of this program sets.
OFFICIAL = {"savedir": "output", "perframe_ae": "decode_chunk"}


def _only_one(text: str) -> int:
    if int(text) != 1:
        raise ValueError(text)
    return 1


ONE = ValueKind("1: each video is sampled by itself, and --n-samples makes several", _only_one)


def add_output(group: argparse._ArgumentGroup) -> None:
    """Where a run writes, and which earlier run it repeats."""
    add_run(group)
    group.add_argument("--savedir", type=PATH, metavar="OUT", help="the same as --output")


def add_clip_models(group: argparse._ArgumentGroup) -> None:
    """Which model paints."""
    add = options_of(ClipModelChoice, group)
    add(
        "--model",
        help="which published model: 512_interp goes from picture to picture and makes loops, the "
        "others animate. auto is what the checkpoint is, or without --checkpoint the first model "
        "that is found for the job (%(default)s)",
    )
    add(
        "--checkpoint",
        "--ckpt_path",
        metavar="FILE",
        help="DynamiCrafter's model.ckpt, or a smaller file made from it. A model that is not "
        "named is looked for in FCVG_MODELS, then in ComfyUI's folders. A run downloads nothing; "
        "the command models --get does",
    )
    add(
        "--config",
        metavar="FILE",
        help="configuration of the official code: it names the model of a checkpoint that does "
        "not tell by itself, and is not needed otherwise",
    )
    for name, what in (
        ("--text-encoder", "SD 2.1's text encoder"),
        ("--image-encoder", "CLIP's image encoder ViT-H"),
        ("--vae", "Stable Diffusion's VAE"),
    ):
        add(name, metavar="FILE", help=f"{what}: used instead of the checkpoint's")
    add("--tokenizer", metavar="DIR", help="folder with CLIP's vocab.json and merges.txt")


def add_clip_video(group: argparse._ArgumentGroup) -> None:
    """Size, length and frame rate."""
    add = options_of(ClipVideo, group)
    for axis, name in enumerate(("--height", "--width")):
        trained = sorted({variant.size[axis] for variant in VARIANTS.values()})
        add(
            name,
            metavar="N",
            help="in pixels, a multiple of 64; by default what the model was trained at: "
            f"{', '.join(map(str, trained))}",
        )
    add_fit(group)
    add(
        "--frames",
        "--video_length",
        metavar="N",
        help="frames of a clip; the models were trained at 16 (%(default)s)",
    )
    add("--fps", metavar="X", help="frame rate of the written video (%(default)s)")
    add("--keep-keyframes", help="put the given pictures into the video unchanged")


def add_clip_sampling(group: argparse._ArgumentGroup) -> None:
    """How a clip is sampled."""
    add = options_of(ClipSampling, group)
    add(
        "--fs",
        "--frame_stride",
        metavar="N",
        help=f"how much moves. Frames a second for {_rates(strides=False)}: fewer move more. A "
        f"stride for {_rates(strides=True)}: more moves more. By default the first number in "
        "brackets",
    )
    add(
        "--steps",
        "--ddim_steps",
        metavar="N",
        help="steps of DDIM; the spacing uniform may take more (%(default)s)",
    )
    add(
        "--eta",
        "--ddim_eta",
        metavar="X",
        help="share of the noise that is drawn anew in each step (%(default)s)",
    )
    add(
        "--spacing",
        "--timestep_spacing",
        help="which timesteps are passed; by default uniform for 256, otherwise uniform_trailing",
    )
    _add_guidance(group)
    add(
        "--image-tokens",
        help="per-frame: each frame has its own tokens of the picture, as trained with 16 frames; "
        "shared: every frame has all; auto: per frame with 16 frames (%(default)s)",
    )
    add(
        "--seed",
        metavar="N",
        help="seed for all noise, 0 to 2**64 - 1; for a negative number a seed is drawn "
        "(%(default)s)",
    )


def _rates(*, strides: bool) -> str:
    """The models whose rate is a stride, or is none: "256 (3, from 1 to 6)"."""
    variants = [x for x in VARIANTS.values() if x.rate_is_stride is strides]
    return ", ".join(f"{x.word} ({x.rate}, from {x.rates[0]} to {x.rates[1]})" for x in variants)


def _add_guidance(group: argparse._ArgumentGroup) -> None:
    add = options_of(ClipSampling, group)
    add(
        "--guidance",
        "--unconditional_guidance_scale",
        metavar="X",
        help="how strongly prompt and picture steer; 1 is without guidance (%(default)s)",
    )
    add(
        "--image-guidance",
        "--cfg_img",
        metavar="X",
        help="how strongly the picture steers, apart from the prompt: three predictions a step "
        "instead of two",
    )
    add(
        "--multiple_cond_cfg",
        help="prompt and picture steer apart; without --image-guidance both as --guidance says",
    )
    add(
        "--rescale",
        "--guidance_rescale",
        metavar="X",
        help="share of the contrast before guidance that comes back; by default 0 for 256, "
        "otherwise 0.7",
    )
    options_of(ClipSpec, group)(
        "--negative-prompt",
        "--negative_prompt",
        nargs="?",
        const="",
        metavar="TEXT",
        help="what the video should not show",
    )


def add_clip_machine(group: argparse._ArgumentGroup) -> None:
    """Device, number format and memory."""
    add_machine(group, chunk="fewer need less memory")
    add_draft(group)
    group.add_argument(
        "--perframe_ae",
        action="store_const",
        const=1,
        help="the same as --decode-chunk 1",
    )
    group.add_argument("--bs", type=ONE, metavar="1", help="batch size of the official code: 1")
