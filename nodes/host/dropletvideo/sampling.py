"""The noise levels of the official sampler, for the host's Euler.

Source: IEIT-AGI/DropletVideo inference.py; diffusers' DDIMScheduler with trailing timesteps.
"""

import torch
from comfy.model_patcher import ModelPatcher
from torch import Tensor

from ....fcvg_core.choices import TRAILING
from ....fcvg_core.sampling import spaced_timesteps
from ..timesteps import discrete_levels, whole_schedule


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
    sampling = model.get_model_object("model_sampling")
    sigmas = discrete_levels(sampling, needed=": connect the model of Load DropletVideo.").float()
    if denoise <= 0:
        return torch.zeros(0)
    levels = sigmas[spaced_timesteps(whole_schedule(steps, denoise), TRAILING)]
    return torch.cat([levels, levels.new_zeros(1)])[-(steps + 1) :]
