"""SMCD's denoising loop: DDIM without fresh noise, guided by the text, and if asked by the scene.

Source: "Animate Your Motion" (arXiv 2403.10179); Mingxiao-Li/Animate-Your-Motion
modelscope_t2v/diffusion.py, modelscope_t2v/ms_pipeline.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ....choices import UNIFORM
from ....models.unet3d import UNet3D
from ....sampling import (
    DdimStep,
    check_sampled,
    ddim_step,
    ddim_steps,
    lead_a_stride,
    noise_table,
    spaced_timesteps,
    split_prediction,
)
from ..branches import COND, IMAGE_ONLY, UNCOND, Branches, Scales

OVERFLOWED = "The UNet overflows in float16: try --dtype bf16, or --dtype fp32."


@dataclass(frozen=True, eq=False)
class Scene:
    """What the UNet is conditioned on beside the text: the picture and the boxes, or neither.

    Attributes:
        latents: [1, 4, h, w] of the first frame, scaled; they lie beside those of every frame.
        objects: [T, n, D] tokens of the objects in each frame.
        image_tokens: [T, m, D] of the first frame.
    """

    latents: Tensor
    objects: Tensor
    image_tokens: Tensor


@dataclass(frozen=True, eq=False)
class Conditions:
    """The branches of guidance.

    Attributes:
        text: [1, L, D] tokens of the prompt.
        negative_text: [1, L, D] tokens of the negative prompt.
        scene: of the picture and the boxes.
        nothing: without them, as training drops them out, with tokens of absent objects; None: no
            branch needs it.
    """

    text: Tensor
    negative_text: Tensor
    scene: Scene
    nothing: Scene | None

    def branches(self, scales: Scales) -> list[tuple[Tensor, Scene]]:
        """Text and scene of each branch of a run, the conditional branch last."""
        known = {
            UNCOND: (self.negative_text, self.nothing),
            IMAGE_ONLY: (self.negative_text, self.scene),
            COND: (self.text, self.scene),
        }
        return [known[name] for name in scales.branches]


def plan_steps(steps: int) -> list[DdimStep]:
    """All steps of a run; the last leads to timestep 0, which has a little noise left.

    Args:
        steps: as asked for; a number that does not divide 1000 gives more steps.

    Raises:
        UserError: there are too few or too many steps.
    """
    table = noise_table(zero_snr=False, base_scale=None)
    return lead_a_stride(ddim_steps(table, spaced_timesteps(steps, UNIFORM), 0.0), table)


@torch.no_grad()
def denoise_video(
    unet: UNet3D,
    conditions: Conditions,
    noise: Tensor,
    *,
    steps: int,
    scales: Scales,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Tensor:
    """Latents of a video.

    Args:
        unet: on the device of `noise`, with weights of any number format; latents are float32.
        noise: [T, 4, h, w], unit variance.
        steps: see `plan_steps`.
        scales: of guidance by the text, and by picture and boxes together.
        progress: gets the number of finished steps and of all steps.

    Returns:
        [T, 4, h, w] float32, scaled.

    Raises:
        UserError: there are too few or too many steps, or the UNet overflows.

    Differs: `scales.image` is ours. The official scales for the picture (`img_free_guidance`,
        `ti_free_guidance`) add a whole prediction to the guided one.
    """
    plan, branches, latents = plan_steps(steps), Branches(), noise
    progress(0, len(plan))
    for done, step in enumerate(plan, start=1):
        run = partial(_run, unet, latents, step.timestep)
        output = scales.guide(branches.predict(run, conditions.branches(scales)))
        clean, estimate = split_prediction(latents, output, step.alpha, "eps")
        latents, _ = ddim_step(clean, estimate, step, None)
        check_sampled(latents, OVERFLOWED)
        progress(done, len(plan))
    return latents


def _run(
    unet: UNet3D, latents: Tensor, timestep: int, branches: Sequence[tuple[Tensor, Scene]]
) -> Tensor:
    """The noise that each branch predicts, one after the other: [V * T, 4, h, w] float32."""
    dtype, num_frames = unet.input_blocks[0][0].weight.dtype, len(latents)
    scenes = [scene for _, scene in branches]

    def every_frame(values: list[Tensor]) -> Tensor:
        frames = [x.expand(num_frames, *x.shape[1:]) for x in values]
        return torch.cat(frames).to(latents.device, dtype)

    beside = every_frame([scene.latents for scene in scenes])
    return unet(
        torch.cat([latents.to(dtype).repeat(len(branches), 1, 1, 1), beside], dim=1),
        latents.new_full((len(beside),), timestep),
        every_frame([text for text, _ in branches]),
        num_frames=num_frames,
        image_tokens=every_frame([scene.image_tokens for scene in scenes]),
        objects=every_frame([scene.objects for scene in scenes]),
    ).float()
