"""The diffusion of 1000 timesteps: how much noise each timestep has, which timesteps a run passes.

Source: DynamiCrafter (arXiv 2310.12190); Lin et al. (arXiv 2305.08891) for zero terminal SNR;
Doubiiu/DynamiCrafter lvdm/models/utils_diffusion.py, lvdm/models/ddpm3d.py.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..choices import QUAD, SPACINGS, UNIFORM
from ..errors import UserError
from ..quoting import quote

TIMESTEPS = 1000
BETA_START, BETA_END = 0.00085, 0.012
TURNING_STEP = 400  # from this timestep on, clean latents are scaled by the whole base scale
# Where the signal is zero, the noise level would be infinite; this floor makes it 1e4. With a lower
# floor the level is so high that samplers in float32 round the clean latents away: with 1e-12 the
# error of Euler's method in four steps is 1e-2 of the largest value, with this floor 1.5e-4.
SMALLEST_ALPHA = 1e-8


@dataclass(frozen=True, eq=False)
class NoiseTable:
    """How a model was trained, for each timestep.

    At timestep t the network sees sqrt(alphas[t]) * scales[t] * clean + sqrt(1 - alphas[t]) *
    noise, its "variance-preserving" state.

    Attributes:
        alphas: [1000] float64, the share of the signal's variance (alpha bar), falling.
        scales: [1000] float64, what the clean latents are multiplied by (dynamic rescale).
    """

    alphas: Tensor
    scales: Tensor

    @property
    def sigmas(self) -> Tensor:
        """[1000] float64 noise levels, rising: noise for each unit of the clean latents.

        The state clean + sigma * noise is the network's state divided by sqrt(alpha) * scale. In
        this state Euler's method equals DDIM with eta 0.
        """
        alphas = self.alphas.clamp(min=SMALLEST_ALPHA)
        return (1 - alphas).sqrt() / (alphas.sqrt() * self.scales)


def noise_table(*, zero_snr: bool, base_scale: float | None) -> NoiseTable:
    """The table of a model.

    Args:
        zero_snr: whether the last timestep is noise alone (zero terminal SNR).
        base_scale: factor of the clean latents from timestep 400 on, to which the factor falls
            from 1; None: the latents are not scaled.

    Source: lvdm/models/utils_diffusion.py:31, 112; lvdm/models/ddpm3d.py:522.
    """
    ends = (BETA_START**0.5, BETA_END**0.5)
    betas = torch.linspace(*ends, TIMESTEPS, dtype=torch.float64) ** 2
    roots = torch.cumprod(1 - betas, 0).sqrt()
    if zero_snr:
        first, last = roots[0].clone(), roots[-1].clone()
        roots = (roots - last) * (first / (first - last))
    scales = torch.ones(TIMESTEPS, dtype=torch.float64)
    if base_scale is not None:
        falling = torch.linspace(1, base_scale, TURNING_STEP, dtype=torch.float64)
        scales = torch.cat([falling, scales[TURNING_STEP:] * base_scale])
    # The official code keeps both tables in float32. Small differences of neighbours are taken
    # later, so the rounding counts.
    return NoiseTable((roots**2).float().double(), scales.float().double())


def spaced_timesteps(steps: int, spacing: str) -> Tensor:
    """The timesteps that a run passes, in the order of the run.

    "uniform_trailing" begins at the last timestep, 999. "uniform" has whole strides from timestep
    1 on, so a number of steps that doesn't divide 1000 gives more steps: 7 give 8; the timestep
    1000 becomes 999. "quad" begins at 801 and has most steps at low noise levels; many steps pass
    the lowest timesteps twice.

    Args:
        steps: 1 to 1000.
        spacing: one of SPACINGS.

    Returns:
        [S] int64, falling, 1000 > t >= 0.

    Raises:
        UserError: there are too few or too many steps, or the spacing is unknown.

    Source: lvdm/models/utils_diffusion.py:56; Mingxiao-Li/Animate-Your-Motion
        modelscope_t2v/diffusion.py.
    Differs: DynamiCrafter's official code selects a timestep 1000 for "uniform" with 9 and some
        other numbers of steps, and fails, where SMCD's takes 999. By a rounding error, it selects
        a timestep -1 for "uniform_trailing" with 61 and some other numbers; it is left out.
    """
    if spacing not in SPACINGS:
        raise UserError(f"expected one of the spacings {', '.join(SPACINGS)}; got {quote(spacing)}")
    if not 1 <= steps <= TIMESTEPS:
        raise UserError(f"Sampling takes 1 to {TIMESTEPS} steps, got {steps}.")
    if spacing == UNIFORM:
        found = np.arange(0, TIMESTEPS, TIMESTEPS // steps) + 1
        found = np.unique(found.clip(max=TIMESTEPS - 1))[::-1]
    elif spacing == QUAD:
        found = (np.linspace(0, np.sqrt(TIMESTEPS * 0.8), steps) ** 2).astype(np.int64)[::-1] + 1
    else:
        # numpy's arange and numpy's rounding, as in the official code: torch's differ in some
        # timesteps.
        found = np.round(np.arange(TIMESTEPS, 0, -TIMESTEPS / steps)) - 1
    inside = (found >= 0) & (found < TIMESTEPS)
    return torch.from_numpy(found[inside].astype(np.int64))


def split_prediction(
    latents: Tensor, output: Tensor, alpha: float, prediction: str
) -> tuple[Tensor, Tensor]:
    """The network's output -> its estimates of the clean latents and of the noise.

    Args:
        latents: what the network saw, sqrt(alpha) * clean + sqrt(1 - alpha) * noise, any shape.
        output: of the network, the same shape.
        alpha: of the timestep, see `NoiseTable`; above 0 if the prediction is "eps".
        prediction: "eps" (the output is the noise) or "v" (velocity).

    Returns:
        Clean latents, multiplied by the scale of the timestep as in training; noise.

    Source: Salimans and Ho (arXiv 2202.00512) for "v"; lvdm/models/ddpm3d.py:239.
    """
    signal, noise = alpha**0.5, (1 - alpha) ** 0.5
    if prediction == "v":
        return signal * latents - noise * output, signal * output + noise * latents
    if prediction == "eps":
        return (latents - noise * output) / signal, output
    raise ValueError(f'expected the prediction "eps" or "v", got {prediction!r}')
