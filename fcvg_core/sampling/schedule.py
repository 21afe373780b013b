"""Noise levels of a run, and the noise that may be put back while sampling.

Source: Karras et al. (arXiv 2206.00364) eq. 5; Tian-one/FCVG
utils/scheduling_euler_discrete_karras_fix.py and pipeline/pipeline_FCVG.py:703-722.
"""

import torch
from torch import Tensor

from ..errors import UserError

SIGMA_MIN, SIGMA_MAX, RHO = 0.002, 700.0, 7.0  # SVD's scheduler_config.json


def karras_sigmas(steps: int) -> Tensor:
    """[steps + 1] sigmas from 700 down to 0.002, then 0.

    In float64 until the end, as the reference: a float32 ramp is off in the sixth digit.
    """
    if steps < 1:
        raise UserError(f"Sampling needs at least 1 step, got {steps}.")
    ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
    high, low = SIGMA_MAX ** (1 / RHO), SIGMA_MIN ** (1 / RHO)
    sigmas = (high + ramp * (low - high)) ** RHO
    return torch.cat([sigmas, sigmas.new_zeros(1)]).float()


def timestep(sigma: Tensor) -> Tensor:
    """What SVD's networks take for a noise level: 0.25 * ln(sigma), any shape."""
    return 0.25 * sigma.float().log()


def injection_steps(steps: int, ratio: float) -> int:
    """In how many of the first steps noise is put back: ratio 0..1 of all of them."""
    if not 0 <= ratio <= 1:
        raise UserError(f"The noise injection ratio is a share from 0 to 1, got {ratio}.")
    return int(steps * ratio)


def inject_noise(latents: Tensor, noise: Tensor, sigma: Tensor, sigma_next: Tensor) -> Tensor:
    """Bring latents that were just stepped to `sigma_next` back to the noise level `sigma`.

    Differs: the reference's scheduler advances inside step() and so takes the sigmas one step
    too late; this is the meant behaviour (jeanne-wang/svd_keyframe_interpolation).
    """
    return latents + noise * (sigma**2 - sigma_next**2).sqrt()
