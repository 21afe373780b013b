"""The noise levels that training draws: how often the networks see how much noise.

Both distributions are in float64. In bfloat16, in which the official code computes them, a noise
level has 8 bits.

Source: dvlab-research/ControlNeXt ControlNeXt-SVD-v2-Training/train_svd.py:178-229, 1225-1227;
Karras et al. (arXiv 2206.00364) table 1; Hoogeboom et al. (arXiv 2301.11093) section 3.1.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ..choices import COSINE, LOG_NORMAL
from ..errors import UserError
from ..models.svd import SIGMA_MAX, SIGMA_MIN
from ..quoting import quote

EDGE = 1e-7  # shares closer to 0 or 1 would give noise levels without a bound


class Distribution(Protocol):
    """How often which noise level is drawn."""

    def level(self, share: Tensor) -> Tensor:
        """The noise level above which a share of all drawn levels lies.

        Args:
            share: [N] float64 in 0..1.

        Returns:
            [N] float64, falling with the share.
        """


@dataclass(frozen=True)
class LogNormal:
    """The logarithm of the noise level has a normal distribution.

    Half of SVD's levels lie above 2: many levels are so high that motion is decided there.

    Attributes:
        mean, deviation: of the logarithm; the defaults are SVD's.
    """

    mean: float = 0.7
    deviation: float = 1.6

    def level(self, share: Tensor) -> Tensor:
        """See `Distribution`; shares are kept `EDGE` away from 0 and 1."""
        share = share.double().clamp(EDGE, 1 - EDGE)
        return (self.mean - self.deviation * torch.special.ndtri(share)).exp()


@dataclass(frozen=True)
class ShiftedCosine:
    """ControlNeXt's distribution: between the cosine schedules of two sizes of pictures.

    Half of the levels lie below 0.71, where the picture is fixed already.

    Attributes:
        size: of the pictures that are trained.
        high_size: of the pictures whose schedule holds at the highest noise level.
        low_size: of the pictures whose schedule holds at the lowest noise level.
        deviation: of the latents.
        lowest, highest: noise levels.
    """

    size: float = 64.0
    high_size: float = 32.0
    low_size: float = 64.0
    deviation: float = 0.5
    lowest: float = SIGMA_MIN
    highest: float = SIGMA_MAX

    def level(self, share: Tensor) -> Tensor:
        """See `Distribution`."""
        share = share.double()
        log_snr = torch.lerp(
            self._shifted(share, self.high_size), self._shifted(share, self.low_size), share
        )
        return self.deviation * (-log_snr / 2).exp()

    def _shifted(self, share: Tensor, size: float) -> Tensor:
        """The logarithm of the signal-to-noise ratio, shifted for a size of pictures."""
        shift = 2 * math.log(size / self.size)
        least, most = (-2 * math.log(x / self.deviation) for x in (self.highest, self.lowest))
        start, end = (math.atan(math.exp(-(x - shift) / 2)) for x in (least, most))
        return -2 * (start + share * (end - start)).tan().log() + shift


DISTRIBUTIONS = {LOG_NORMAL: LogNormal(), COSINE: ShiftedCosine()}


def find_distribution(name: str) -> Distribution:
    """The distribution of a name.

    Raises:
        UserError: there is no such distribution.
    """
    if name not in DISTRIBUTIONS:
        raise UserError(
            f"There is no distribution of noise levels called {quote(name)}; there is: "
            f"{', '.join(DISTRIBUTIONS)}."
        )
    return DISTRIBUTIONS[name]


def draw_sigmas(distribution: Distribution, count: int, generator: torch.Generator) -> Tensor:
    """Noise levels, each from its own part of the distribution, in a random order.

    The parts are equally likely: 4 levels are one of each quarter. So the loss of a batch varies
    less than with levels that know nothing of each other.

    Args:
        count: at least 1.
        generator: on the CPU.

    Returns:
        [count] float64.
    """
    inside = torch.rand(count, generator=generator, dtype=torch.float64)
    parts = torch.randperm(count, generator=generator)
    return distribution.level((parts + inside) / count)
