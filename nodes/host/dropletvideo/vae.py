"""DropletVideo's VAE as the host's VAE, which the host's nodes decode and encode with.

The host of today has a VAE for the same tensors (CogVideoX), which decodes a video in another
order: other frames, and 85 where the official code gives 88.
"""

import logging

import comfy.model_management as mm
import comfy.ops
import comfy.sd
import torch
from torch import Tensor

from ....fcvg_core.errors import UserError
from ....fcvg_core.models.dropletvideo.config import VaeConfig
from ....fcvg_core.models.dropletvideo.rules import count_latents, decoded_frames
from ....fcvg_core.models.dropletvideo.vae import VideoVae
from ..encoders import smallest_autoencoder
from ..patchers import make_patcher
from ..progress import report_progress
from ..svd.vae import is_out_of_memory, running

SCALE = 8  # pixels of a latent, along each side
TILE, OVERLAP = 32, 8  # latents along a side, where memory runs out
# Numbers held at once for each pixel of a frame, whatever the length of the video: 5.6 and 3.0 GB
# for 672 x 384 in bf16. `benchmarks/dropletvideo.py --full` measures them.
DECODING, ENCODING = 11700, 6300


class DropletVideoVae(comfy.sd.VAE):
    """The VAE without weights, on the devices and in the number format that the host chooses.

    The host first builds the smallest network that it can build, so that every attribute that a
    version of the host has exists; then the network is replaced.

    Args:
        config: sizes of the network.
        disable_dynamic: see `can_load_again`.
    """

    def __init__(self, config: VaeConfig, *, disable_dynamic: bool = False):
        super().__init__(**smallest_autoencoder())
        operations = comfy.ops.disable_weight_init
        network = VideoVae(config, operations=operations, dtype=self.vae_dtype)
        self.first_stage_model = network.eval().requires_grad_(False)
        self.patcher = make_patcher(
            network, self.device, self.patcher.offload_device, disable_dynamic=disable_dynamic
        )
        self.size = None  # the host has counted the small network
        self.latent_channels, self.latent_dim = config.latent_channels, 3
        self.upscale_ratio = self.upscale_index_formula = (decoded_frames, SCALE, SCALE)
        self.downscale_ratio = self.downscale_index_formula = (count_latents, SCALE, SCALE)
        self.memory_used_decode = lambda shape, dtype: (
            DECODING * shape[-1] * shape[-2] * SCALE**2 * dtype.itemsize
        )
        self.memory_used_encode = lambda shape, dtype: (
            ENCODING * shape[-1] * shape[-2] * dtype.itemsize
        )

    def decode(self, samples_in: Tensor, vae_options: dict = {}) -> Tensor:
        """Frames [B, F, 8h, 8w, 3] in 0..1 of latents [B, 16, T, h, w], see `decoded_frames`.

        Chunk by chunk, so that the memory does not grow with the length of the video; in tiles if
        the memory is too small for a chunk.

        Raises:
            UserError: the latents are not of this VAE.
        """
        self._check_latents(samples_in)
        try:
            return self._decode(samples_in)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        logging.warning(
            "The card's memory is too small to decode whole frames: they are decoded in tiles, "
            "which may show at their borders."
        )
        mm.soft_empty_cache()  # not while the error still holds the tensors
        return self.decode_tiled(samples_in, TILE, TILE, OVERLAP)

    def _decode(self, latents: Tensor) -> Tensor:
        rows, _, length, *size = latents.shape
        frames, (height, width) = decoded_frames(length), (SCALE * side for side in size)
        output = {"device": self.output_device, "dtype": self._output_dtype()}
        video = torch.empty(rows, frames, height, width, 3, **output)
        report, needed = report_progress(), self.memory_used_decode(latents.shape, self.vae_dtype)
        with running(self, self.vae_dtype, needed=needed) as network:
            for row, row_latents in enumerate(latents.to(self.device, self.vae_dtype)):
                done = 0
                for chunk in network.decode_chunks(row_latents[None]):
                    pixels = self.process_output(chunk[0].to(**output))
                    video[row, done : done + pixels.shape[1]] = pixels.permute(1, 2, 3, 0)
                    done += pixels.shape[1]
                    report("decode", row * frames + done, rows * frames)
        return video

    def decode_tiled(
        self,
        samples: Tensor,
        tile_x: int | None = None,
        tile_y: int | None = None,
        overlap: int | None = None,
        tile_t: int | None = None,
        overlap_t: int | None = None,
    ) -> Tensor:
        """`decode` in tiles of latents; a tile has all frames, whatever `tile_t` says.

        A frame needs what the network has kept of the frames before it.
        """
        self._check_latents(samples)
        across, down = tile_x or TILE, tile_y or TILE
        apart = OVERLAP if overlap is None else overlap
        needed = self.memory_used_decode((down, across), self.vae_dtype)
        with running(self, self.vae_dtype, needed=needed):
            tiles = {"tile_x": down, "tile_y": across, "overlap": (1, apart, apart)}
            return self.decode_tiled_3d(samples, samples.shape[2], **tiles).movedim(1, -1)

    def encode_tiled(
        self,
        pixel_samples: Tensor,
        tile_x: int | None = None,
        tile_y: int | None = None,
        overlap: int | None = None,
        tile_t: int | None = None,
        overlap_t: int | None = None,
    ) -> Tensor:
        """Latents [B, 16, T, h, w] of a video, in tiles of pixels; see `decode_tiled`."""
        pixels = self.vae_encode_crop_pixels(pixel_samples).movedim(-1, 1)
        if pixels.ndim < 5:
            pixels = pixels.movedim(1, 0)[None]
        across, down = tile_x or SCALE * TILE, tile_y or SCALE * TILE
        apart = SCALE * OVERLAP if overlap is None else overlap
        needed = self.memory_used_encode((down, across), self.vae_dtype)
        with running(self, self.vae_dtype, needed=needed):
            tiles = {"tile_x": down, "tile_y": across, "overlap": (1, apart, apart)}
            return self.encode_tiled_3d(pixels, pixels.shape[2], **tiles)

    def _output_dtype(self) -> torch.dtype:
        """Number format of frames, which newer hosts let the user choose."""
        return self.vae_output_dtype() if hasattr(self, "vae_output_dtype") else torch.float32

    def _check_latents(self, latents: Tensor) -> None:
        if latents.ndim != 5 or latents.shape[1] != self.latent_channels:
            raise UserError(
                f"The latents have the shape {tuple(latents.shape)}, but a video's are (batch, "
                f"{self.latent_channels}, frames, height / 8, width / 8): connect the latents of "
                "a sampler of DropletVideo."
            )
