"""Drawn clips -> clips that a task of the loop trains on, many encoded at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fcvg_core.clip import clip_pixels, normalize_for_clip
from fcvg_core.frames import to_image
from fcvg_core.models.svd import augment_keyframe
from fcvg_core.progress import Progress, silent
from fcvg_core.standalone.networks.pipeline import VideoPipeline
from fcvg_core.training.clips import Clip
from fcvg_core.training.data.encoded import EncodedClip, draw_latents

from .clips import DrawnClip

FPS, BUCKET, AUGMENTATION = 7, 127, 0.02  # what inference tells the networks by default
IDS = (FPS - 1.0, float(BUCKET), AUGMENTATION)
VERSIONS = 2  # noises of each picture


@dataclass(frozen=True, eq=False)
class Sample:
    """A clip that is trained on, or held out.

    Attributes:
        control: [T, 3, H, W] uint8.
    """

    name: str
    encoded: EncodedClip
    control: Tensor
    weight: float = 1.0

    def clip(self, chance: torch.Generator | None) -> Clip:
        """What a step takes; see `TrainedClip`."""
        return Clip(
            draw_latents(self.encoded, range(len(self.encoded)), chance),
            self.encoded.images((0, 1), chance),
            self.control,
            IDS,
        )


def encode_clips(
    pipeline: VideoPipeline,
    clips: Sequence[DrawnClip],
    *,
    seed: int,
    at_once: int = 16,
    progress: Progress = silent,
) -> Iterator[Sample]:
    """Clips, encoded as inference encodes them.

    Args:
        pipeline: has a VAE and an image encoder.
        clips: of one shape.
        seed: of the noise on the pictures.
        at_once: clips that are encoded together.
    """
    chance = torch.Generator().manual_seed(seed)
    for first in range(0, len(clips), at_once):
        part = clips[first : first + at_once]
        for clip, encoded in zip(part, _encode(pipeline, part, chance), strict=True):
            control = torch.from_numpy(clip.control).movedim(-1, 1)
            yield Sample(clip.name, encoded, control)
        progress("encoding", min(first + at_once, len(clips)), len(clips))


@torch.no_grad()
def _encode(
    pipeline: VideoPipeline, clips: Sequence[DrawnClip], chance: torch.Generator
) -> Iterator[EncodedClip]:
    frames = np.concatenate([clip.frames for clip in clips])
    mean, deviation = pipeline.encode_distribution(frames, len(frames), silent)
    ends = np.concatenate([clip.frames[[0, -1]] for clip in clips])
    pixels = to_image(ends).movedim(-1, 1).to(pipeline.device)
    models = pipeline.models
    embedded = models.image_encoder(normalize_for_clip(clip_pixels(pixels))).image_embeds
    latents = [
        models.vae.encode(augment_keyframe(pixels, noise, AUGMENTATION) * 2 - 1).latent_dist.mode()
        for noise in _noises(pixels.shape, chance)
    ]
    pictures = torch.stack(latents, 1).cpu()  # [2 * B, V, 4, h, w]
    at = (0, len(clips[0].frames) - 1)
    return map(
        EncodedClip,
        mean.chunk(len(clips)),
        deviation.chunk(len(clips)),
        [at] * len(clips),
        embedded[:, None].cpu().chunk(len(clips)),
        pictures.chunk(len(clips)),
    )


def _noises(shape: torch.Size, chance: torch.Generator) -> Iterator[Tensor]:
    """Noise of each version for pairs of pictures: one for both, as in inference."""
    count, *size = shape
    for _ in range(VERSIONS):
        yield torch.randn(count // 2, *size, generator=chance).repeat_interleave(2, 0)
