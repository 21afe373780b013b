"""DropletVideo's denoising loop: DDIM without fresh noise, guided by the text.

Source: IEIT-AGI/DropletVideo pipeline.py:926-1000; diffusers DDIMScheduler with CogVideoX's
settings.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ....choices import TRAILING
from ....models.dropletvideo.network import DropletVideoTransformer
from ....sampling import (
    DdimStep,
    check_sampled,
    connect_steps,
    ddim_step,
    guide,
    noise_table,
    spaced_timesteps,
    split_prediction,
)
from ..branches import Branches

OVERFLOWED = "The transformer overflows in float16: try --dtype bf16, or --dtype fp32."


@dataclass(frozen=True, eq=False)
class Conditions:
    """What the transformer's predictions are conditioned on.

    Attributes:
        text: [1, L, D] tokens of the prompt.
        negative_text: [1, L, D] tokens of the negative prompt; None: nothing is guided.
        beside: [1, 17, T, h, w], see `concat_conditions`.
        fps: the lower, the more moves from frame to frame.
    """

    text: Tensor
    negative_text: Tensor | None
    beside: Tensor
    fps: int

    @property
    def branches(self) -> list[Tensor]:
        """The text of each branch of guidance, that of the prompt last."""
        return [x for x in (self.negative_text, self.text) if x is not None]


def plan_steps(steps: int) -> list[DdimStep]:
    """All steps of a run; the last one leads to clean latents.

    Raises:
        UserError: there are too few or too many steps.
    """
    timesteps = spaced_timesteps(steps, TRAILING)
    alphas = noise_table(zero_snr=True, base_scale=None).alphas[timesteps]
    alphas = torch.cat([alphas, alphas.new_ones(1)])
    return connect_steps(timesteps, alphas, torch.ones_like(alphas), eta=0.0)


@torch.no_grad()
def denoise_video(
    transformer: DropletVideoTransformer,
    conditions: Conditions,
    noise: Tensor,
    *,
    steps: int,
    guidance: float,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Tensor:
    """Latents of a video.

    Args:
        transformer: on the device of `noise`, with weights of any number format; latents are
            float32.
        noise: [1, 16, T, h, w], unit variance.
        guidance: scale of guidance by the text.
        progress: gets the number of finished steps and of all steps.

    Returns:
        [1, 16, T, h, w] float32, scaled.

    Raises:
        UserError: the steps are too few or too many, or the transformer overflows.

    Differs: latents stay in float32 between the steps; the official code rounds them to the number
        format of the weights.
    """
    plan, branches, latents = plan_steps(steps), Branches(), noise
    progress(0, len(plan))
    for done, step in enumerate(plan, start=1):
        run = partial(_run, transformer, conditions, latents, step.timestep)
        *uncond, cond = branches.predict(run, conditions.branches)
        velocity = guide(cond, uncond[0], guidance) if uncond else cond
        clean, estimate = split_prediction(latents, velocity, step.alpha, "v")
        latents, _ = ddim_step(clean, estimate, step, None)
        check_sampled(latents, OVERFLOWED)
        progress(done, len(plan))
    return latents


def _run(
    transformer: DropletVideoTransformer,
    conditions: Conditions,
    latents: Tensor,
    timestep: int,
    texts: Sequence[Tensor],
) -> Tensor:
    """The velocity of each branch, one after the other: [V, 16, T, h, w] float32."""
    dtype, count = transformer.proj_out.weight.dtype, len(texts)
    x = torch.cat([latents, conditions.beside.to(latents)], dim=1).to(dtype)
    return transformer(
        x.expand(count, -1, -1, -1, -1),
        latents.new_full((count,), timestep),
        context=torch.cat(list(texts)).to(latents.device, dtype),
        fps=latents.new_full((1,), conditions.fps),
    ).float()
