"""DDIM: from one selected timestep to the next, with fresh noise or without.

Source: Song et al. (arXiv 2010.02502); Doubiiu/DynamiCrafter lvdm/models/samplers/ddim.py,
lvdm/models/utils_diffusion.py:79.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from .diffusion import TIMESTEPS, NoiseTable


@dataclass(frozen=True)
class DdimStep:
    """Numbers of one step of a run, see `NoiseTable`.

    Attributes:
        timestep: that the network gets, 0..999.
        alpha, alpha_prev: of this timestep, and of the timestep that the step leads to.
        scale, scale_prev: of the clean latents, before and after the step.
        sigma: standard deviation of the fresh noise; 0: none is added.
    """

    timestep: int
    alpha: float
    alpha_prev: float
    scale: float
    scale_prev: float
    sigma: float


def ddim_steps(table: NoiseTable, timesteps: Tensor, eta: float) -> list[DdimStep]:
    """All steps of a run.

    The last step leads to timestep 0, whose latents have a little noise left, and keeps the
    latents at the scale of the last timestep: both as in the official code.

    Args:
        timesteps: [S] int64 as `spaced_timesteps` returns them, falling.
        eta: share of fresh noise, 0..1: 0 adds none, 1 adds as much as DDPM.

    Returns:
        S steps in the order of the run.
    """
    alphas = torch.cat([table.alphas[timesteps], table.alphas[:1]])
    scales = table.scales[timesteps]
    return connect_steps(timesteps, alphas, torch.cat([scales, scales[-1:]]), eta)


def connect_steps(timesteps: Tensor, alphas: Tensor, scales: Tensor, eta: float) -> list[DdimStep]:
    """Steps that lead from each noise level to the next.

    Args:
        timesteps: [S] int64, falling.
        alphas, scales: [S + 1] float64, of each timestep, and of what the last step leads to.
        eta: see `ddim_steps`.
    """
    before, after = alphas[:-1], alphas[1:]
    variances = (1 - after) / (1 - before) * (1 - before / after)
    columns = (timesteps, before, after, scales[:-1], scales[1:], eta * variances.sqrt())
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [DdimStep(*row) for row in rows]


def lead_a_stride(steps: list[DdimStep], table: NoiseTable) -> list[DdimStep]:
    """The steps of SMCD's official code, where every step leads a whole stride down.

    Where "uniform" spacing has reached timestep 1000, the run begins at 999. Its first step then
    leads to the noise of the timestep below the one that the network sees next.

    Args:
        steps: of any run; a run that does not begin like this is returned as it is.

    Source: Mingxiao-Li/Animate-Your-Motion modelscope_t2v/diffusion.py.
    """
    passed = [step.timestep for step in steps]
    strides = {before - after for before, after in pairwise(passed[1:])}
    if len(strides) != 1 or passed[:1] != [TIMESTEPS - 1]:
        return steps
    (stride,) = strides
    reached = passed[0] - stride
    if reached != passed[1] - 1:
        return steps
    return [replace(steps[0], alpha_prev=float(table.alphas[reached])), *steps[1:]]


def ddim_step(
    clean: Tensor, noise: Tensor, step: DdimStep, fresh: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Latents at the timestep that a step leads to.

    Args:
        clean, noise: estimates at the step's timestep, as `split_prediction` returns them.
        fresh: unit noise of the same shape; None if the step's sigma is 0.

    Returns:
        The latents, and the clean latents at the scale that they have after the step.
    """
    clean = clean * (step.scale_prev / step.scale)
    # With eta 1, rounding can make the rest of the variance a negative number close to 0.
    rest = max(1 - step.alpha_prev - step.sigma**2, 0.0)
    latents = step.alpha_prev**0.5 * clean + rest**0.5 * noise
    if step.sigma:
        latents = latents + step.sigma * fresh
    return latents, clean


def ddim_levels(table: NoiseTable, timesteps: Tensor) -> Tensor:
    """Noise levels of a run, for samplers on the state clean + sigma * noise (`NoiseTable.sigmas`).

    Euler's method on these levels equals DDIM with eta 0. The result of DDIM is the result of
    Euler's method times sqrt(alphas[0]) * scales[timesteps[-1]].

    Args:
        timesteps: [S] int64, falling.

    Returns:
        [S + 1] float32: the level of each timestep, then the level that the last step leads to.
    """
    # The level of timestep 0 itself would be at another scale: DDIM doesn't change the scale in
    # its last step.
    last = table.sigmas[:1] * table.scales[:1] / table.scales[timesteps[-1:]]
    return torch.cat([table.sigmas[timesteps], last]).float()
