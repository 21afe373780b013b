"""The random numbers of a run, all from one seed, in the official code's order."""

from typing import NamedTuple

import torch
from torch import Tensor


class RunNoise(NamedTuple):
    """The unit noises of a run, on the CPU, so that every device makes the same video."""

    augmentation: Tensor  # [1, 3, H, W], the same for both keyframes
    latents: Tensor  # [T, C, H / 8, W / 8]
    generator: torch.Generator  # draws the noise that is injected during sampling


def draw_noise(
    seed: int, size: tuple[int, int], num_frames: int, *, latent_channels: int = 4
) -> RunNoise:
    """Augmentation noise, then initial latents, then a generator for injected noise.

    Args:
        seed: 0 ... 2**64 - 1.
        size: (height, width) in pixels, multiples of 8.
        num_frames: frames of the video, T.

    Source: Tian-one/FCVG pipeline/pipeline_FCVG.py:533, 577 (the order of drawing).
    """
    generator = torch.Generator("cpu").manual_seed(seed)
    height, width = size
    augmentation = torch.randn(1, 3, height, width, generator=generator)
    latents = torch.randn(num_frames, latent_channels, height // 8, width // 8, generator=generator)
    return RunNoise(augmentation, latents, generator)


def draw_augmentation(seed: int, size: tuple[int, int]) -> Tensor:
    """The augmentation noise that `draw_noise` draws first, without the noise of any frame.

    Returns:
        [1, 3, H, W], unit variance, on the CPU.
    """
    return draw_noise(seed, size, 0).augmentation
