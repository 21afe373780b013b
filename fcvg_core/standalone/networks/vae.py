"""Frames <-> latents by a VAE of diffusers, a chunk of frames at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...failures import is_out_of_memory
from ...frames import check_frames, to_image
from ...models.taesdv import Decoder
from ...progress import Progress
from ...sampling import decode_in_chunks, encode_in_chunks
from .device import DevicePipeline
from .draft import decode_draft


class VaePipeline(DevicePipeline):
    """A pipeline that encodes and decodes frames.

    Args:
        vae: diffusers' network.
        device, offload: see `DevicePipeline`.

    Attributes:
        draft: the tiny decoder that decodes in the VAE's place; None: the VAE decodes.
    """

    draft: Decoder | None = None

    def __init__(self, vae: nn.Module, *, device: torch.device, offload: bool):
        super().__init__(device=device, offload=offload)
        self._vae = vae

    @torch.no_grad()
    def encode_video(self, frames: np.ndarray, chunk: int, progress: Progress) -> Tensor:
        """Scaled latents [T, 4, h, w] of frames: the mean of what the VAE gives, without a seed.

        They are on the CPU.

        Args:
            frames: uint8 [T, H, W, 3].
            chunk: frames that are encoded at once; halved, with a warning, when memory runs out.

        Raises:
            UserError: the VAE gives values that are not numbers.
        """
        return self._encode_frames(frames, chunk, progress, lambda found: found.mode())

    @torch.no_grad()
    def encode_distribution(
        self, frames: np.ndarray, chunk: int, progress: Progress
    ) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the scaled latents of frames, each as `encode_video`.

        The arguments are those of `encode_video`, and it raises what `encode_video` raises.
        """
        both = self._encode_frames(
            frames, chunk, progress, lambda found: torch.cat([found.mean, found.std], dim=1)
        )
        mean, deviation = both.chunk(2, dim=1)
        return mean, deviation

    def _encode_frames(
        self, frames: np.ndarray, chunk: int, progress: Progress, take: Callable[[Any], Tensor]
    ) -> Tensor:
        """What is taken of the VAE's distribution of each frame: [T, C, h, w], scaled."""
        check_frames(frames)
        vae = self._vae
        chunks = encode_in_chunks(
            torch.from_numpy(np.ascontiguousarray(frames)),
            chunk,
            dtype=vae.dtype,
            encode=partial(_encode, vae, self.device, take),
            is_out_of_memory=is_out_of_memory,
            free_memory=torch.cuda.empty_cache,
        )
        latents, done = [], 0
        progress("encoding", 0, len(frames))
        with self._on_device(vae):
            for part in chunks:
                latents.append(part.float().cpu() * vae.config.scaling_factor)
                done += len(part)
                progress("encoding", done, len(frames))
        return torch.cat(latents)

    @torch.no_grad()
    def decode(self, latents: Tensor, chunk: int, progress: Progress) -> Iterator[np.ndarray]:
        """Frames of scaled latents [T, 4, h, w], one after the other as they are asked for.

        Args:
            chunk: frames that the VAE decodes at once; halved, with a warning, when memory runs
                out.

        Yields:
            uint8 [H, W, 3].

        Raises:
            UserError: the latents or the decoded frames hold values that are not numbers.
        """
        if self.draft is not None:
            with self._on_device(self.draft):
                yield from decode_draft(self.draft, latents, progress)
            return
        vae = self._vae
        chunks = decode_in_chunks(
            latents / vae.config.scaling_factor,
            chunk,
            dtype=vae.dtype,
            decode=self._decode_chunk,
            is_out_of_memory=is_out_of_memory,
            free_memory=torch.cuda.empty_cache,  # does nothing where CUDA is not used
            remedy="Try --dtype fp32.",
        )
        done = 0
        progress("decoding", 0, len(latents))
        with self._on_device(vae):
            for frames in chunks:
                yield from to_pixels(frames)
                done += len(frames)
                progress("decoding", done, len(latents))

    def _decode_chunk(self, latents: Tensor, dtype: torch.dtype) -> Tensor:
        """Decoded pixels [t, 3, H, W], about -1..1, computed in a number format."""
        with _computing_in(self._vae, dtype):
            return self._call_vae(latents.to(self.device, dtype))

    def _call_vae(self, latents: Tensor) -> Tensor:
        """Pixels [t, 3, H, W] of unscaled latents [t, 4, h, w]."""
        return self._vae.decode(latents).sample


def collect_video(frames: Iterator[np.ndarray], num_frames: int) -> np.ndarray:
    """uint8 [T, H, W, 3] of frames [H, W, 3]: held once, without a list of the frames beside it."""
    video = None
    for i, frame in enumerate(frames):
        if video is None:
            video = np.empty((num_frames, *frame.shape), frame.dtype)
        video[i] = frame
    return video


def _encode(
    vae: nn.Module,
    device: torch.device,
    take: Callable[[Any], Tensor],
    frames: Tensor,
    dtype: torch.dtype,
) -> Tensor:
    """Unscaled latents [t, C, h, w] of uint8 frames [t, H, W, 3], computed in a number format."""
    pixels = to_image(frames.numpy()).movedim(-1, 1).to(device) * 2 - 1
    with _computing_in(vae, dtype):
        return take(vae.encode(pixels.to(dtype)).latent_dist)


@contextmanager
def _computing_in(vae: nn.Module, dtype: torch.dtype) -> Iterator[None]:
    """The VAE in a number format; afterwards it has its own format again."""
    own = vae.dtype
    nn.Module.to(vae, dtype)  # diffusers' own `to` would log a warning for every chunk
    try:
        yield
    finally:
        nn.Module.to(vae, own)


def to_pixels(frames: Tensor) -> np.ndarray:
    """[t, 3, H, W] in -1..1 -> uint8 [t, H, W, 3]."""
    pixels = (frames.float() / 2 + 0.5).clamp(0, 1) * 255
    return pixels.round().to(torch.uint8).movedim(1, -1).cpu().numpy()
