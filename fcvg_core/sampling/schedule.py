"""The noise levels of a run, and the step from one level to the next.

Source: Karras et al. (arXiv 2206.00364) eq. 5 and Algorithm 2; Tian-one/FCVG
utils/scheduling_euler_discrete_karras_fix.py. Sabour et al., Align Your Steps (arXiv 2404.14507)
and its table for SVD (research.nvidia.com/labs/toronto-ai/AlignYourSteps/howto.html).
"""

import logging
import math

import numpy as np
import torch
from torch import Tensor

from ..choices import AYS
from ..errors import UserError

RHO = 7.0  # as in Karras et al. and in SVD's scheduler: most steps are at low noise levels
# The published levels of 10 steps of SVD.
AYS_LEVELS = (700.0, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002)
WHOLE = 0.9999  # ComfyUI takes a larger share of denoising for the whole
NOTHING = 0.0001  # a smaller share adds almost no noise, and its schedule is endless


def karras_sigmas(steps: int, *, lowest: float, highest: float) -> Tensor:
    """[steps + 1] sigmas from `highest` down to `lowest`, then 0; with one step `highest`, then 0.

    In float64 until the end, as in the official code: a float32 ramp is off in the sixth digit.
    """
    _check_steps(steps)
    ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
    high, low = highest ** (1 / RHO), lowest ** (1 / RHO)
    sigmas = (high + ramp * (low - high)) ** RHO
    return torch.cat([sigmas, sigmas.new_zeros(1)]).float()


def ays_sigmas(steps: int) -> Tensor:
    """[steps + 1] sigmas of Align Your Steps for SVD from 700 on, the last of them 0.

    The published table has 10 steps. For another number of steps the logarithms of its levels are
    interpolated linearly, as its authors advise. With 1 step only the highest level is left.
    """
    _check_steps(steps)
    if steps + 1 == len(AYS_LEVELS):
        levels = np.array(AYS_LEVELS)
    else:
        places = np.linspace(0, 1, steps + 1)
        known = np.linspace(0, 1, len(AYS_LEVELS))
        # From the lowest level up, as in ComfyUI, whose last digits differ the other way round.
        levels = np.exp(np.interp(places, known, np.log(AYS_LEVELS[::-1])))[::-1]
    return torch.tensor([*levels[:-1], 0.0], dtype=torch.float32)


def warn_of_one_step(schedule: str, steps: int) -> None:
    """Say in the log that Align Your Steps makes little of 1 step.

    Args:
        schedule: AYS of `choices`, or another word.
    """
    if schedule == AYS and steps == 1:
        logging.warning(
            "Align Your Steps with 1 step takes all noise away at once, which gives a blurred "
            "video: set the steps to 2 or more; 10 are published."
        )


def level_at(percent: float, *, lowest: float, highest: float) -> float:
    """The noise level at a share of all levels, as ComfyUI counts shares for SVD.

    Args:
        percent: 0..1; at 0 or less the level is infinite, at 1 or more it is 0, so that these
            ends include every level of a run.
        lowest, highest: of the model; between them the logarithm of the level falls linearly.
    """
    if percent <= 0:
        return math.inf
    if percent >= 1:
        return 0.0
    low, high = math.log(lowest), math.log(highest)
    return math.exp((high - low) * (1 - percent) + low)


def _check_steps(steps: int) -> None:
    if steps < 1:
        raise UserError(f"Sampling needs at least 1 step, got {steps}.")


def starts_empty(denoise: float) -> bool:
    """Whether a run starts from noise alone; otherwise it starts from latents with noise added.

    Args:
        denoise: share of the noise levels that a run passes, 0..1.
    """
    return denoise > WHOLE


def keeps_start(denoise: float) -> bool:
    """Whether a run gives back the latents that it starts from."""
    return denoise < NOTHING


def whole_steps(steps: int, denoise: float) -> int:
    """Steps of the whole schedule, of which a run takes the last `steps`; as ComfyUI counts them.

    Args:
        steps: steps that the run takes.
        denoise: see `starts_empty`; the run must not keep its start.
    """
    return steps if starts_empty(denoise) else int(steps / denoise)


def euler_step(latents: Tensor, denoised: Tensor, sigma: Tensor, sigma_next: Tensor) -> Tensor:
    """Latents at the noise level `sigma_next`, on a straight line towards the denoised latents.

    Args:
        latents: at the noise level `sigma`, any shape.
        denoised: the model's estimate of the latents without noise, the same shape.
        sigma, sigma_next: scalars, the noise levels before and after the step.
    """
    slope = (latents - denoised) / sigma
    return latents + slope * (sigma_next - sigma)
