"""The noise levels of the official sampler, for the host's Euler.

Source: IEIT-AGI/DropletVideo inference.py; diffusers' DDIMScheduler with trailing timesteps.
"""

import torch
from comfy.model_patcher import ModelPatcher
from comfy.model_sampling import ModelSamplingDiscrete
from torch import Tensor

from ....fcvg_core.choices import TRAILING
from ....fcvg_core.errors import UserError
from ....fcvg_core.sampling import TIMESTEPS, spaced_timesteps


def trailing_levels(model: ModelPatcher, steps: int, denoise: float = 1.0) -> Tensor:
    """Noise levels of the timesteps that the official code selects, and 0 at the end.

    Euler's method on these levels is DDIM without fresh noise, the official sampler. The host's
    schedule "simple" gives the same levels for 50 steps, but not for every number of steps.

    Args:
        steps: number of steps.
        denoise: share of the noise levels that the run passes, 0..1; below 1 the run begins in the
            midst of a schedule of more steps.

    Returns:
        [S + 1] float32, falling; empty if denoise is 0.

    Raises:
        UserError: the model was not trained on 1000 timesteps, or the schedule would have more
            steps than timesteps.
    """
    sigmas = _levels_of(model.get_model_object("model_sampling"))
    if denoise <= 0:
        return torch.zeros(0)
    total = int(steps / denoise)
    if total > TIMESTEPS >= steps:
        raise UserError(
            f"{steps} steps at a denoise of {denoise:g} are a part of {total} steps, but the model "
            f"has {TIMESTEPS} timesteps: take fewer steps, or a higher denoise."
        )
    levels = sigmas[spaced_timesteps(total, TRAILING)]
    return torch.cat([levels, levels.new_zeros(1)])[-(steps + 1) :]


def _levels_of(model_sampling) -> Tensor:
    """[1000] noise levels of a model, rising, on the CPU."""
    sigmas = getattr(model_sampling, "sigmas", torch.zeros(0))
    if not isinstance(model_sampling, ModelSamplingDiscrete) or len(sigmas) != TIMESTEPS:
        raise UserError(
            f"This model has no noise levels of {TIMESTEPS} timesteps: connect the model of Load "
            "DropletVideo."
        )
    return sigmas.cpu().float()
