"""Noise levels of models with 1000 timesteps, and the schedule that a run is a part of."""

import torch
from comfy.model_sampling import ModelSamplingDiscrete
from torch import Tensor

from ...fcvg_core.errors import UserError
from ...fcvg_core.sampling import TIMESTEPS


def discrete_levels(model_sampling, *, needed: str) -> Tensor:
    """[1000] noise levels of a model, rising, on the CPU.

    Args:
        needed: the end of the message: who needs them, and what to connect.

    Raises:
        UserError: the model was not trained on 1000 timesteps.
    """
    sigmas = getattr(model_sampling, "sigmas", torch.zeros(0))
    if not isinstance(model_sampling, ModelSamplingDiscrete) or len(sigmas) != TIMESTEPS:
        raise UserError(f"This model has no noise levels of {TIMESTEPS} timesteps{needed}")
    return sigmas.cpu()


def whole_schedule(steps: int, denoise: float) -> int:
    """Steps of the whole schedule, of which a run takes the last `steps`.

    Args:
        denoise: share of the noise levels that the run passes, above 0, up to 1.

    Raises:
        UserError: it has more steps than a model has timesteps.
    """
    total = int(steps / denoise)
    if total > TIMESTEPS >= steps:
        raise UserError(
            f"{steps} steps at a denoise of {denoise:g} are a part of {total} steps, but the model "
            f"has {TIMESTEPS} timesteps: take fewer steps, or a higher denoise."
        )
    return total
