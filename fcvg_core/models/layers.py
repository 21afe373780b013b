"""Layers that several families of networks share."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

# q, k, v [N, L, heads * d] and the number of heads -> [N, L, heads * d]
Attend = Callable[[Tensor, Tensor, Tensor, int], Tensor]

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


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """Attention of several heads; the softmax has the precision of float32 in every format.

    Args:
        query: [N, L, heads * d].
        key: [N, M, heads * d].
        value: [N, M, heads * d].

    Returns:
        [N, L, heads * d].
    """
    split = (x.unflatten(2, (heads, -1)).transpose(1, 2) for x in (query, key, value))
    return F.scaled_dot_product_attention(*split).transpose(1, 2).flatten(2)
