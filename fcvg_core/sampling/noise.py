"""Random numbers of a run, all from one seed and in the reference's order."""

from typing import NamedTuple

import torch
from torch import Tensor


class KeyframeNoise(NamedTuple):
    """The unit noises of a run, on the CPU, so that every device paints the same video."""

    augmentation: Tensor  # [1, 3, H, W], one and the same for both keyframes
    latents: Tensor  # [T, C, H / 8, W / 8]
    generator: torch.Generator  # what is injected during sampling is drawn from here


def draw_noise(
    seed: int, size: tuple[int, int], num_frames: int, *, latent_channels: int = 4
) -> KeyframeNoise:
    """Augmentation noise, then initial latents, then a generator for what is injected later.

    Args:
        seed: 0 ... 2**64 - 1.
        size: (height, width) in pixels, multiples of 8.

    Source: Tian-one/FCVG pipeline/pipeline_FCVG.py:533, 577 (the order of drawing).
    """
    generator = torch.Generator("cpu").manual_seed(seed)
    height, width = size
    augmentation = torch.randn(1, 3, height, width, generator=generator)
    latents = torch.randn(num_frames, latent_channels, height // 8, width // 8, generator=generator)
    return KeyframeNoise(augmentation, latents, generator)
