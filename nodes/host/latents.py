"""Latents of videos as the host has them between nodes: frames lie in the batch."""

import torch
from torch import Tensor

from ...fcvg_core.errors import UserError

# What gets numbers where sampling gave values that are no numbers.
NUMBERS = "Try another sampler, a lower guidance, or start ComfyUI with --force-fp32."


def empty_video(num_frames: int, size: tuple[int, int]) -> dict:
    """LATENT of a video without content: zeros [T, 4, H / 8, W / 8].

    Args:
        size: (height, width) in pixels.
    """
    height, width = size
    return {"samples": torch.zeros(num_frames, 4, height // 8, width // 8)}


def shape_of(samples: Tensor) -> tuple[int, ...] | None:
    """The shape of a LATENT's samples; None for several tensors, as a video with sound has."""
    return None if getattr(samples, "is_nested", False) else tuple(samples.shape)


def one_tensor(latent: dict) -> Tensor:
    """The latents of a LATENT.

    Raises:
        UserError: the LATENT holds several tensors, as a video with sound does.
    """
    samples = latent["samples"]
    if shape_of(samples) is None:
        raise UserError(
            "The latent is several tensors, but a video of SVD, DynamiCrafter or SMCD is one "
            "tensor: connect the latents of a sampler of one of them."
        )
    return samples
