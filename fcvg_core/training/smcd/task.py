"""What the loop trains of SMCD: its networks on windows of videos with boxes."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ...box_sets import BoxVideo
from ...errors import UserError
from .dropping import Kept, SmcdDropout
from .network import SmcdNetwork
from .steps import TABLE, Passes, noise_loss
from .videos import VideoSample, Windows

MOST_FAULTS = 5  # videos in a row that can't be used, before training stops


class Encoders(Protocol):
    """Prompts and frames -> what the networks take of them."""

    def encode_prompt(self, prompt: str) -> Tensor:
        """Tokens [L, D] of a prompt, float32 on the CPU."""

    def encode_frames(self, frames: np.ndarray) -> tuple[Tensor, Tensor]:
        """Mean and deviation of the scaled latents of frames uint8 [T, H, W, 3].

        Each is [T, 4, h, w] float32 on the CPU.
        """


class SmcdTask:
    """Videos for SMCD's networks; see `Task`.

    Args:
        network: on its device.
        videos: at least one.
        windows: how a window is cut out of a video.
        encoders: of prompts and frames.
        dropout: of conditions.

    Raises:
        ValueError: there is no video.
    """

    def __init__(
        self,
        network: SmcdNetwork,
        videos: Sequence[BoxVideo],
        windows: Windows,
        encoders: Encoders,
        dropout: SmcdDropout,
    ):
        if not videos:
            raise ValueError("expected at least one video to train on, got none")
        self.network = network
        self._videos = videos
        self._windows = windows
        self._encoders = encoders
        self._dropout = dropout

    def __len__(self) -> int:
        """How many videos are trained on."""
        return len(self._videos)

    def sample(self, index: int, chance: torch.Generator) -> VideoSample:
        """See `Task.sample`. In the place of a video that can't be used comes the next one.

        Raises:
            UserError: several videos in a row can't be used.
        """
        for number in range(index, index + MOST_FAULTS - 1):
            try:
                return self._sample(number, chance)
            except UserError as error:
                logging.warning("A video can't be used, so the next one is taken. %s", error)
        return self._sample(index + MOST_FAULTS - 1, chance)

    def _sample(self, index: int, chance: torch.Generator) -> VideoSample:
        window = self._windows.cut(self._videos[index % len(self)], chance)
        channels = self.network.position_net.config.in_channels
        conditions = self._windows.conditions(window, channels)
        mean, deviation = self._encoders.encode_frames(self._windows.frames(window))
        return VideoSample(
            latents=mean + deviation * torch.randn(mean.shape, generator=chance),
            text=self._encoders.encode_prompt(window.prompt),
            **conditions,
        )

    def losses(
        self, network: nn.Module, samples: Sequence[VideoSample], chance: torch.Generator
    ) -> Tensor:
        """See `Task.losses`: the loss of each video."""
        shape = len(samples) * len(samples[0].latents), *samples[0].latents.shape[1:]
        timesteps = torch.randint(len(TABLE.alphas), (len(samples),), generator=chance)
        noise = torch.randn(shape, generator=chance)
        kept = self._dropout.draw(chance)
        seed = int(torch.randint(2**62, (), generator=chance))
        with _seeded(next(network.parameters()).device, seed):
            passes = make_passes(network, samples, noise=noise, timesteps=timesteps, kept=kept)
            return noise_loss(network.unet, passes)


def make_passes(
    network: SmcdNetwork,
    samples: Sequence[VideoSample],
    *,
    noise: Tensor,
    timesteps: Tensor,
    kept: Kept,
) -> Passes:
    """Videos with what the UNet is told of them, on the device of the networks.

    Args:
        samples: V videos of T frames, all of one shape.
        noise: [V * T, 4, h, w].
        timesteps: [V].
        kept: what is dropped is zeros, and objects are absent.
    """
    device = next(network.parameters()).device

    def stacked(name: str) -> Tensor:
        return torch.stack([getattr(each, name) for each in samples]).to(device)

    latents, present = stacked("latents"), stacked("present")
    first, num_frames = latents[:, 0], latents.shape[1]
    labels = stacked("labels")[:, None].expand(-1, num_frames, -1, -1)
    tokens = network.visual_encoder(first * kept.image)
    return Passes(
        latents=latents.flatten(0, 1),
        noise=noise.to(device),
        timesteps=timesteps.to(device),
        concat=(first * kept.concat).repeat_interleave(num_frames, dim=0),
        text=stacked("text"),
        objects=network.position_net(
            stacked("boxes").flatten(0, 1),
            (present & kept.boxes).flatten(0, 1),
            labels.flatten(0, 1),
        ),
        image=tokens.repeat_interleave(num_frames, dim=0),
    )


@contextmanager
def _seeded(device: torch.device, seed: int) -> Iterator[None]:
    """A block in which layers with dropout draw from a seed; other chance stays as it was."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
