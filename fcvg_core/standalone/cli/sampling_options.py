"""Options that say how SVD's video is sampled, for the commands of both jobs."""

import argparse

from ...settings import FAST
from ..spec import Machine, Sampling
from .option_groups import options_of

# What --fast sets, by the names of the options.
PRESET = {
    key: FAST[each.name] for key, each in Sampling.settings_by_key().items() if each.name in FAST
}


def add_motion_bucket(part: type[Sampling], group: argparse._ArgumentGroup) -> None:
    """How much motion SVD is asked for."""
    options_of(part, group)(
        "--motion-bucket",
        metavar="X",
        help="how much motion the model is asked for, on SVD's own scale (%(default)s)",
    )


def add_sampling(part: type[Sampling], group: argparse._ArgumentGroup) -> None:
    """How a video is sampled."""
    add = options_of(part, group)
    add("--steps", "--num_inference_steps", metavar="N", help="denoising steps (%(default)s)")
    add_schedule(part, group)
    add(
        "--min-guidance",
        metavar="X",
        help="guidance at the first frame of a window; for inbetween, at the keyframe that a pass "
        "starts from (%(default)s)",
    )
    add(
        "--max-guidance",
        metavar="X",
        help="guidance at the opposite end; it changes linearly in between (%(default)s)",
    )
    group.add_argument(
        "--guidance_scale",
        type=part.settings_by_key()["min_guidance"].metadata["kind"],
        metavar="X",
        help="guidance at both ends",
    )
    add_interval(part, group)
    add(
        "--augmentation",
        metavar="X",
        help="noise added to the given pictures: standard deviation for pixels in -1..1; 0 keeps "
        "them exact (%(default)s)",
    )
    add("--window", "--batch_frames", metavar="N", help="frames sampled at once (%(default)s)")
    add("--overlap", metavar="N", help="frames that neighbouring windows share (%(default)s)")
    add(
        "--seed",
        metavar="N",
        help="seed for all noise; change it for a different result (%(default)s)",
    )
    add_savings(part, group)


def add_schedule(part: type[Sampling], group: argparse._ActionsContainer) -> None:
    """The noise levels of the steps."""
    options_of(part, group)(
        "--schedule",
        help="noise levels of the steps: karras, as the model was published, or ays (Align Your "
        "Steps), which needs fewer steps: 10 are published (%(default)s)",
    )


def add_interval(part: type[Sampling], group: argparse._ActionsContainer) -> None:
    """Where guidance acts."""
    add = options_of(part, group)
    add(
        "--guidance-from",
        metavar="X",
        help="where guidance begins, as a share of the noise levels: 0 is the highest level. "
        "Before it guidance is off, which halves the passes of a step (%(default)s)",
    )
    add(
        "--guidance-until",
        metavar="X",
        help="where guidance ends, as a share of the noise levels; after it guidance is off "
        "(%(default)s)",
    )


def add_savings(part: type[Sampling], group: argparse._ActionsContainer) -> None:
    """The cache of features, and the preset."""
    options_of(part, group)(
        "--cache",
        metavar="N",
        help="compute every N-th evaluation of the UNet whole, and only its upper layers in the "
        "others, which use the deep features again: faster, and the video changes; 1 is off "
        "(%(default)s)",
    )
    values = ", ".join(f"--{key.replace('_', '-')} {value}" for key, value in PRESET.items())
    group.add_argument(
        "--fast",
        action="store_true",
        help=f"few and cheap steps, for a video of lower quality: {values}. An option that you "
        "type keeps your value",
    )


def add_draft(group: argparse._ArgumentGroup) -> None:
    """How latents are decoded."""
    options_of(Machine, group)(
        "--draft",
        help="decode by the tiny decoder taesdv.pth instead of the VAE: much faster, for a look "
        "at the motion",
    )
