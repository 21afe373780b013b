"""DynamiCrafter's denoising loop: DDIM with two or three branches of guidance.

Source: DynamiCrafter (arXiv 2310.12190); Doubiiu/DynamiCrafter lvdm/models/samplers/ddim.py,
lvdm/models/samplers/ddim_multiplecond.py.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from ....models.dynamicrafter.variants import Variant
from ....models.unet3d import UNet3D
from ....sampling import (
    NoiseTable,
    ddim_step,
    ddim_steps,
    rescale_guidance,
    spaced_timesteps,
    split_prediction,
)
from ..branches import COND, IMAGE_ONLY, UNCOND, Branches, Scales


@dataclass(frozen=True, kw_only=True)
class ClipSettings:
    """How a clip is sampled and decoded.

    Attributes:
        num_frames: frames of the clip; the models were trained with 16.
        rate: frames a second, or for the 256 model the frame stride: the official `fs`.
        steps: DDIM steps; the spacing "uniform" may take more.
        eta: share of fresh noise in each step, 0..1.
        spacing: one of SPACINGS of `choices`.
        guidance: scale of guidance by the text, and by the picture too if there are two branches.
        image_guidance: scale of guidance by the picture, which needs a third branch; None: two
            branches.
        rescale: 0..1, how much of the contrast that guidance adds is taken back.
        image_tokens: one of IMAGE_TOKENS of `choices`.
        decode_chunk: frames that the VAE decodes at once.
    """

    num_frames: int
    rate: int
    steps: int
    eta: float
    spacing: str
    guidance: float
    image_guidance: float | None
    rescale: float
    image_tokens: str
    decode_chunk: int

    @property
    def scales(self) -> Scales:
        """Scales of guidance."""
        return Scales(self.guidance, self.image_guidance)


@dataclass(frozen=True, eq=False)
class Branch:
    """What a prediction of the UNet is conditioned on, beside the image latents.

    Attributes:
        text: [1, L, D] tokens of a prompt.
        image_tokens: [T, n, D], of each frame, or [1, n, D], of all frames.
    """

    text: Tensor
    image_tokens: Tensor


@dataclass(frozen=True, eq=False)
class Conditions:
    """The branches of guidance, and the image latents that all branches have.

    Attributes:
        image_latents: [T, 4, h, w], scaled.
        cond: prompt and picture.
        uncond: negative prompt and a grey picture.
    """

    image_latents: Tensor
    cond: Branch
    uncond: Branch

    def branches(self, settings: ClipSettings) -> list[Branch]:
        """The branches of a run, the conditional branch last."""
        image_only = Branch(self.uncond.text, self.cond.image_tokens)
        known = {UNCOND: self.uncond, IMAGE_ONLY: image_only, COND: self.cond}
        return [known[name] for name in settings.scales.branches]


@torch.no_grad()
def denoise_clip(
    unet: UNet3D,
    variant: Variant,
    table: NoiseTable,
    conditions: Conditions,
    noise: Tensor,
    settings: ClipSettings,
    *,
    draw: Callable[[], Tensor],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Tensor:
    """Latents of a clip.

    Args:
        unet: on the device of `noise`, with weights of any number format; latents are float32.
        variant: what the UNet predicts.
        table: the noise of the UNet's timesteps.
        noise: [T, 4, h, w], unit variance.
        draw: gives the next fresh unit noise, shaped like `noise`; called once for each step that
            adds noise.
        progress: gets the number of finished steps and of all steps.

    Returns:
        [T, 4, h, w] float32; the VAE decodes them after division by its scaling factor.

    Raises:
        UserError: the steps don't fit the spacing.
    """
    steps = ddim_steps(table, spaced_timesteps(settings.steps, settings.spacing), settings.eta)
    network = _Network(unet, conditions.image_latents, settings.rate)
    branches = conditions.branches(settings)
    latents = noise
    progress(0, len(steps))
    for done, step in enumerate(steps, start=1):
        output = _guided(network.predict(latents, step.timestep, branches), settings)
        clean, estimate = split_prediction(latents, output, step.alpha, variant.prediction)
        fresh = draw().to(latents) if step.sigma else None
        latents, _ = ddim_step(clean, estimate, step, fresh)
        progress(done, len(steps))
    return latents


def _guided(predictions: list[Tensor], settings: ClipSettings) -> Tensor:
    """One prediction [T, 4, h, w] of the predictions of the branches, in their order."""
    guided = settings.scales.guide(predictions)
    if len(predictions) == 1:
        return guided
    return rescale_guidance(guided, predictions[-1], settings.rescale)


@dataclass(frozen=True, eq=False)
class _Network:
    """The UNet on all branches."""

    unet: UNet3D
    image_latents: Tensor
    rate: int
    _branches: Branches = field(default_factory=Branches, init=False)

    def predict(self, latents: Tensor, timestep: int, branches: list[Branch]) -> list[Tensor]:
        """The prediction [T, 4, h, w] of each branch, in float32."""
        return self._branches.predict(partial(self._run, latents, timestep), branches)

    def _run(self, latents: Tensor, timestep: int, branches: list[Branch]) -> Tensor:
        """The predictions of some branches, one after the other: [V * T, 4, h, w]."""
        dtype, num_frames = self.unet.input_blocks[0][0].weight.dtype, len(latents)
        videos = torch.cat([latents, self.image_latents.to(latents)], dim=1)
        count = len(branches) * num_frames

        def every_frame(tokens: list[Tensor]) -> Tensor:
            return torch.cat([x.expand(num_frames, -1, -1) for x in tokens]).to(dtype)

        return self.unet(
            videos.to(dtype).repeat(len(branches), 1, 1, 1),
            latents.new_full((count,), timestep),
            every_frame([branch.text for branch in branches]),
            num_frames=num_frames,
            image_tokens=every_frame([branch.image_tokens for branch in branches]),
            rate=latents.new_full((count,), self.rate),
        ).float()
