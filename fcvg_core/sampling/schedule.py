"""The noise levels of a run, and the step from one level to the next.

Source: Karras et al. (arXiv 2206.00364) eq. 5 and Algorithm 2; Tian-one/FCVG
utils/scheduling_euler_discrete_karras_fix.py.
"""

import torch
from torch import Tensor

from ..errors import UserError

RHO = 7.0  # as in Karras et al. and in SVD's scheduler: most steps are at low noise levels
WHOLE = 0.9999  # ComfyUI takes a larger share of denoising for the whole
NOTHING = 0.0001  # a smaller share adds almost no noise, and its schedule is endless


def karras_sigmas(steps: int, *, lowest: float, highest: float) -> Tensor:
    """[steps + 1] sigmas from `highest` down to `lowest`, then 0; with one step `highest`, then 0.

    In float64 until the end, as in the official code: a float32 ramp is off in the sixth digit.
    """
    if steps < 1:
        raise UserError(f"Sampling needs at least 1 step, got {steps}.")
    ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
    high, low = highest ** (1 / RHO), lowest ** (1 / RHO)
    sigmas = (high + ramp * (low - high)) ** RHO
    return torch.cat([sigmas, sigmas.new_zeros(1)]).float()


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
