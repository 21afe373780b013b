"""Videos <-> latents by diffusers' VAE of CogVideoX, in tiles where memory runs out."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import ceil, prod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ....errors import UserError
from ....failures import none_if_out_of_memory
from ....models.dropletvideo.vae import FRAMES_A_CHUNK, LATENTS_A_CHUNK
from ....progress import Progress
from ..vae import collect_video, to_pixels

CELL = 8  # pixels of a latent along a side


class VideoCoder:
    """Encodes and decodes whole videos.

    Args:
        vae: diffusers.AutoencoderKLCogVideoX, which is on `device` while it is used.

    Attributes:
        scale: what latents are multiplied by.
    """

    def __init__(self, vae: Any, device: torch.device):
        self._network, self._device = vae, device
        self.scale: float = vae.config.scaling_factor

    @torch.no_grad()
    def encode(self, video: Tensor, progress: Progress) -> Tensor:
        """Scaled latents [1, 16, T, h, w] of a video, float32: the mode of what the VAE gives.

        Args:
            video: [1, 3, F, H, W] in -1..1.
            progress: gets the stage "encoding".

        Raises:
            UserError: the VAE gives values that are not numbers.
        """

        def convert() -> Tensor:
            return self._network.encode(self._ready(video)).latent_dist.mode().float() * self.scale

        self._network.use_tiling = False
        chunks = max(video.shape[2] // FRAMES_A_CHUNK, 1)
        size = video.shape[3] // CELL, video.shape[4] // CELL
        with self._counted(self._network.encoder, "encoding", chunks, size, progress):
            return self._convert(convert)

    @torch.no_grad()
    def decode(self, latents: Tensor, progress: Progress, *, tiling: bool) -> np.ndarray:
        """uint8 frames [F', H, W, 3] of latents.

        Args:
            latents: [1, 16, T, h, w], scaled.
            progress: gets the stage "decoding".
            tiling: decode tiles of the frames even if memory does not run out.

        Raises:
            UserError: the VAE gives values that are not numbers.
        """

        def convert() -> Tensor:
            return self._network.decode(self._ready(latents / self.scale)).sample

        self._network.use_tiling = tiling
        chunks = max(latents.shape[2] // LATENTS_A_CHUNK, 1)
        with self._counted(self._network.decoder, "decoding", chunks, latents.shape[3:], progress):
            video = self._convert(convert)[0]
        frames = (to_pixels(video[:, i, None].movedim(1, 0))[0] for i in range(video.shape[1]))
        return collect_video(frames, video.shape[1])

    def _ready(self, x: Tensor) -> Tensor:
        return x.to(self._device, self._network.dtype)

    def _convert(self, convert: Callable[[], Tensor]) -> Tensor:
        """What the VAE makes of a whole video; of tiles, if that is wanted or memory runs out."""
        vae = self._network
        found = convert() if vae.use_tiling else none_if_out_of_memory(convert)
        if found is None:
            logging.warning("Memory ran out: the VAE now takes the frames in tiles.")
            torch.cuda.empty_cache()  # does nothing where CUDA is not used
            vae.use_tiling = True
            found = convert()
        if not found.isfinite().all():
            raise UserError("The VAE gave values that are not numbers. Try --dtype fp32.")
        return found

    @contextmanager
    def _counted(
        self, module: nn.Module, stage: str, chunks: int, size: Sequence[int], progress: Progress
    ) -> Iterator[None]:
        """Report each chunk of a video, or of each tile, that a module has done.

        Args:
            size: (height, width) of the latents.
        """
        done = 0

        def report(*call: object) -> None:
            nonlocal done
            total = chunks * (self._count_tiles(size) if self._network.use_tiling else 1)
            done = done + 1 if done < total else 1  # tiles begin anew after memory ran out
            progress(stage, done, total)

        progress(stage, 0, chunks)
        hook = module.register_forward_hook(report)
        try:
            yield
        finally:
            hook.remove()

    def _count_tiles(self, size: Sequence[int]) -> int:
        """Tiles that diffusers cuts latents of a size into."""
        vae = self._network
        tile = vae.tile_latent_min_height, vae.tile_latent_min_width
        overlap = vae.tile_overlap_factor_height, vae.tile_overlap_factor_width
        if size[0] <= tile[0] and size[1] <= tile[1]:
            return 1
        strides = (int(x * (1 - share)) for x, share in zip(tile, overlap, strict=True))
        return prod(ceil(x / stride) for x, stride in zip(size, strides, strict=True))
