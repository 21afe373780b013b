"""Frames of a clip -> what the networks take of them, by the encoders of inference."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...progress import Progress, silent
from ...sampling import draw_augmentation
from ...standalone.networks.passes import EncodedImage
from ...standalone.networks.pipeline import VideoPipeline


@dataclass(frozen=True, eq=False)
class EncodedClip:
    """The frames of a clip, encoded; all of it on the CPU, in any precision.

    Attributes:
        mean, deviation: [N, 4, h, w] of the scaled latents of every frame.
        at: frames whose pictures can condition the UNet, R of them.
        embeddings: [R, 1, D] of these pictures, from CLIP.
        pictures: [R, V, 4, h, w], unscaled latents of these pictures, each with V noises. All
            pictures have the same noise in a version, as the two ends have in inference.
    """

    mean: Tensor
    deviation: Tensor
    at: tuple[int, ...]
    embeddings: Tensor
    pictures: Tensor

    def __len__(self) -> int:
        """How many frames there are."""
        return len(self.mean)

    def images(
        self, which: Sequence[int], chance: torch.Generator | None
    ) -> tuple[EncodedImage, ...]:
        """Pictures as the UNet takes them, in float32, all with the same version of the noise.

        Args:
            which: places in `at`.
            chance: decides the version; None: the first one.
        """
        version = 0 if chance is None else draw_whole(self.pictures.shape[1], chance)
        return tuple(
            EncodedImage(self.embeddings[i][None].float(), self.pictures[i, version][None].float())
            for i in which
        )


def encode_clip(
    pipeline: VideoPipeline,
    frames: np.ndarray,
    at: Sequence[int],
    *,
    versions: int,
    augmentation: float,
    seed: int,
    chunk: int = 2,
    progress: Progress = silent,
) -> EncodedClip:
    """A clip, encoded as inference encodes keyframes and videos.

    Args:
        pipeline: has SVD's VAE and image encoder.
        frames: uint8 [N, H, W, 3].
        at: frames whose pictures can condition the UNet.
        versions: noises of each picture, V.
        augmentation: standard deviation of the noise on the pictures, for pixels in -1..1.
        seed: of the first version's noise, which is that of inference with this seed; the next
            versions have the next seeds.
        chunk: frames that the VAE encodes at once.

    Raises:
        UserError: the VAE gives values that are not numbers.
    """
    mean, deviation = pipeline.encode_distribution(frames, chunk, progress)
    noises = [draw_augmentation(seed + version, frames.shape[1:3]) for version in range(versions)]
    pictures = [
        torch.cat([pipeline.encode_noisy(frames[i], noise, augmentation) for noise in noises])
        for i in at
    ]
    return EncodedClip(
        mean,
        deviation,
        tuple(at),
        torch.cat([pipeline.embed(frames[i]) for i in at]).cpu(),
        torch.stack(pictures).cpu(),
    )


def draw_latents(
    encoded: EncodedClip, frames: Sequence[int], chance: torch.Generator | None
) -> Tensor:
    """Scaled latents [T, 4, h, w] float32 of frames, drawn from what the VAE gave for each.

    Args:
        frames: T of 0 .. N - 1, in any order.
        chance: on the CPU; None: the means.
    """
    which = list(frames)
    mean = encoded.mean[which].float()
    if chance is None:
        return mean
    return mean + encoded.deviation[which].float() * torch.randn(mean.shape, generator=chance)


def draw_whole(count: int, chance: torch.Generator) -> int:
    """A whole number from 0 to count - 1, each equally likely."""
    return int(torch.randint(count, (), generator=chance))
