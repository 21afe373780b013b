"""VAE encoding of a video in chunks whose length the user sets.

The host's own encode chooses the length of a chunk by free memory, and encodes tile by tile when
memory runs out, so the same frames would give other latents on another card.
"""

from functools import partial

import comfy.model_management as mm
import comfy.sd
import comfy.utils
import torch
from torch import Tensor

from ....fcvg_core.errors import UserError
from ....fcvg_core.models.svd import check_size
from ....fcvg_core.sampling import encode_in_chunks
from .vae import is_out_of_memory, running


def encode_frames(vae: comfy.sd.VAE, frames: Tensor, frames_per_chunk: int) -> Tensor:
    """Latents of a video, the same on every card that has memory for a chunk.

    Args:
        frames: IMAGE [T, H, W, 3], from `check_image`; H and W are multiples of 64.
        frames_per_chunk: halved, with a warning, when memory runs out.

    Returns:
        [T, 4, H / 8, W / 8], unscaled as the host has latents between nodes.

    Raises:
        UserError: the size is not possible, the VAE is not SVD's, or it gave values that are not
            numbers.
    """
    check_size(*frames.shape[1:3])
    vae.throw_exception_if_invalid()
    _check_svd(vae)
    chunks = encode_in_chunks(
        frames,
        frames_per_chunk,
        dtype=vae.vae_dtype,
        encode=partial(_encode, vae),
        is_out_of_memory=is_out_of_memory,
        free_memory=mm.soft_empty_cache,
    )
    progress = comfy.utils.ProgressBar(len(frames))
    latents = []
    for chunk in chunks:
        latents.append(chunk)
        progress.update(len(chunk))
    return torch.cat(latents)


def _check_svd(vae: comfy.sd.VAE) -> None:
    """Raise UserError unless a VAE makes latents like SVD's."""
    if (vae.latent_channels, vae.latent_dim) != (4, 2):
        raise UserError(
            f"The VAE makes latents of {vae.latent_channels} channels and {vae.latent_dim} "
            "dimensions, but SVD's have 4 channels and 2 dimensions: connect the VAE that came "
            "with the SVD model."
        )


def _encode(vae: comfy.sd.VAE, frames: Tensor, dtype: torch.dtype) -> Tensor:
    """Latents of frames [t, H, W, 3], in float32, on the device where the host keeps results."""
    pixels = vae.process_input(frames.movedim(-1, 1))
    needed = len(pixels) * vae.memory_used_encode(pixels.shape, dtype)
    with running(vae, dtype, needed=needed) as network:
        return network.encode(pixels.to(vae.device, dtype)).to(vae.output_device).float()
