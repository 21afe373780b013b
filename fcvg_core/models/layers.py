"""Layers that several families of networks share."""

import math

import torch
from torch import Tensor

LONGEST_PERIOD = 10000


def sinusoids(values: Tensor, channels: int) -> Tensor:
    """Sinusoidal features of numbers, for example of timesteps; cosines first.

    Args:
        values: [N], whole numbers or fractions.
        channels: an even number of features.

    Returns:
        [N, channels] float32.

    Source: Doubiiu/DynamiCrafter lvdm/models/utils_diffusion.py:8-28.
    """
    half = channels // 2
    # The order of these operations is the official one: another order rounds differently.
    exponents = -math.log(LONGEST_PERIOD) * torch.arange(half, dtype=torch.float32) / half
    angles = values[:, None].float() * torch.exp(exponents).to(values.device)
    return torch.cat([angles.cos(), angles.sin()], dim=1)
