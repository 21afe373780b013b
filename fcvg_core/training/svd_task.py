"""What the loop trains of SVD: UNet and ControlNeXt on clips, and how they do on other clips."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ..progress import silent
from ..sampling import draw_noise
from ..settings import SamplingSettings
from ..standalone.networks.denoising import denoise
from ..standalone.networks.loading import Models
from ..standalone.networks.pipeline import VideoPipeline
from ..standalone.networks.vae import collect_video
from ..standalone.spec.sampling import Sampling
from .clips import Clip
from .config import TrainingSpec
from .drawing import Draw, draw_passes
from .steps import Pass, SteeredUnet, training_loss
from .task import Painted

SEED = 0  # of the noise from which a held-out clip is painted


class TrainedClip(Protocol):
    """A clip that is trained on; all clips of a task have latents of one shape.

    Attributes:
        name: its id.
        weight: how much it counts, at least 0.
    """

    name: str
    weight: float

    def clip(self, chance: torch.Generator | None) -> Clip:
        """What a step takes of it, on the CPU.

        Args:
            chance: of all that is random, on the CPU; None: nothing is random.
        """


class HeldOutClip(TrainedClip, Protocol):
    """A clip that is not trained on."""

    def frames(self) -> np.ndarray:
        """The true frames of `clip(None)`, uint8 [T, H, W, 3]."""


@dataclass(frozen=True, eq=False)
class Weighted:
    """A clip as a step takes it, and how much it counts."""

    clip: Clip
    weight: float


@dataclass(frozen=True, eq=False)
class Brush:
    """What a held-out clip is painted with, besides the networks that are trained.

    Attributes:
        vae: diffusers' VAE of SVD.
        settings: how a clip is sampled; its number of frames and its window are the clip's.
        decode_chunk: frames that the VAE decodes at once.
    """

    vae: nn.Module
    settings: SamplingSettings
    decode_chunk: int = 2


class SvdTask:
    """Clips for UNet and ControlNeXt of SVD; see `Task` and `Validated`.

    Args:
        network: on its device.
        clips: that are trained on, at least one.
        draw: how the passes of a step are drawn.
        held_out: clips for validation.
        brush: None: nothing is painted.

    Raises:
        ValueError: there is no clip.
    """

    def __init__(
        self,
        network: SteeredUnet,
        clips: Sequence[TrainedClip],
        draw: Draw,
        *,
        held_out: Sequence[HeldOutClip] = (),
        brush: Brush | None = None,
    ):
        if not clips:
            raise ValueError("expected at least one clip to train on, got none")
        self.network = network
        self._clips = clips
        self._draw = draw
        self._held_out = held_out
        self._brush = brush

    def __len__(self) -> int:
        """How many clips are trained on."""
        return len(self._clips)

    def sample(self, index: int, chance: torch.Generator) -> Weighted:
        """See `Task.sample`."""
        return Weighted(self._clips[index].clip(chance), self._clips[index].weight)

    def losses(
        self, network: nn.Module, samples: Sequence[Weighted], chance: torch.Generator
    ) -> Tensor:
        """See `Task.losses`: the loss of each direction of each clip."""
        passes = draw_passes([each.clip for each in samples], self._draw, chance)
        losses = training_loss(network, passes)
        weights = losses.new_tensor([each.weight for each in samples])
        return losses * weights.repeat_interleave(len(passes) // len(samples))

    def held_out(self) -> Sequence[str]:
        """See `Validated.held_out`."""
        return [each.name for each in self._held_out]

    @torch.no_grad()
    def loss_at(self, network: nn.Module, index: int, level: float, seed: int) -> float:
        """See `Validated.loss_at`."""
        clip = self._held_out[index].clip(None)
        chance = torch.Generator().manual_seed(seed)
        noise = torch.randn(clip.latents.shape, generator=chance)
        sigma = torch.tensor(level, dtype=torch.float64)
        return float(training_loss(network, [Pass(clip, sigma, noise)]))

    @torch.no_grad()
    def paint(self, index: int) -> Painted:
        """See `Validated.paint`.

        Raises:
            ValueError: the task has no brush.
        """
        if self._brush is None:
            raise ValueError("expected a task with a brush, which paints; this one has none")
        held_out, brush = self._held_out[index], self._brush
        clip = held_out.clip(None)
        count, _, height, width = clip.latents.shape
        models = Models(self.network.unet, brush.vae, None, self.network.controlnext)
        latents = denoise(
            models,
            clip.images,
            clip.control,
            draw_noise(SEED, (height * 8, width * 8), count).latents,
            replace(brush.settings, num_frames=count, window=count),
        )
        pipeline = VideoPipeline(models, device=self.network.unet.device, offload=False)
        painted = pipeline.decode(latents, brush.decode_chunk, silent)
        return Painted(
            name=held_out.name,
            truth=held_out.frames(),
            control=None if clip.control is None else to_frames(clip.control),
            result=collect_video(painted, count),
        )


def painting_settings(spec: TrainingSpec) -> SamplingSettings:
    """How a held-out clip is sampled: with what the networks are told in training."""
    validation, data = spec.validation, spec.data
    sampling = Sampling(
        control_weight=spec.training.strength,
        steps=validation.steps,
        guidance_start=validation.guidance,
        guidance_end=validation.guidance,
        augmentation=data.augmentation,
        motion_bucket=data.motion_bucket_id,
    )
    return sampling.settings(num_frames=data.frames, fps=data.fps)


def to_frames(control: Tensor) -> np.ndarray:
    """uint8 [T, H, W, 3] of control frames [T, 3, H, W], uint8 or in 0..1."""
    if control.is_floating_point():
        control = (control * 255).round().to(torch.uint8)
    return np.ascontiguousarray(control.movedim(1, -1).numpy())
