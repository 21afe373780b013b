"""VAE decoding in chunks whose length the user sets.

The host's own decode chooses the length of a chunk by free memory. SVD's temporal decoder treats
every chunk as a clip of its own, so the same latents would give another picture on another card.
DynamiCrafter's VAE decodes each frame by itself.
"""

from functools import partial

import comfy.model_management as mm
import comfy.sd
import comfy.utils
import torch
from torch import Tensor

from ....fcvg_core.errors import UserError
from ....fcvg_core.sampling import decode_in_chunks
from ..latents import NUMBERS
from .vae import is_out_of_memory, running


def decode_frames(vae: comfy.sd.VAE, latents: Tensor, frames_per_chunk: int) -> Tensor:
    """Frames of a video, the same on every card that has memory for a chunk.

    Args:
        latents: [T, 4, h, w].
        frames_per_chunk: 2 in the official code; halved, with a warning, when memory runs out.

    Returns:
        [T, 8h, 8w, 3] in 0..1.

    Raises:
        UserError: the latents are not a video's or not of this VAE, or one of them gave values that
            are not numbers.
    """
    vae.throw_exception_if_invalid()
    _check_latents(vae, latents)
    chunks = decode_in_chunks(
        latents,
        frames_per_chunk,
        dtype=vae.vae_dtype,
        decode=partial(_decode, vae),
        is_out_of_memory=is_out_of_memory,
        free_memory=mm.soft_empty_cache,
        remedy=NUMBERS,
    )
    progress = comfy.utils.ProgressBar(len(latents))
    video = None
    done = 0
    for chunk in chunks:
        frames = vae.process_output(chunk)
        if video is None:  # the video is held once, without a list of its chunks beside it
            video = frames.new_empty(len(latents), *frames.shape[1:])
        video[done : done + len(frames)] = frames
        done += len(frames)
        progress.update_absolute(done)
    return video.movedim(1, -1)


def _check_latents(vae: comfy.sd.VAE, latents: Tensor) -> None:
    """Raise UserError unless latents are those of a video, and the VAE can decode them."""
    channels = latents.shape[1] if latents.ndim == 4 and len(latents) else None
    if channels not in (4, vae.latent_channels):
        raise UserError(
            f"The latents have the shape {tuple(latents.shape)}, but a video's are "
            "(frames, 4, height / 8, width / 8): connect the latents of a sampler of SVD or "
            "DynamiCrafter."
        )
    if vae.latent_dim != 2 or channels != vae.latent_channels:
        raise UserError(
            f"The VAE decodes latents of {vae.latent_channels} channels and {vae.latent_dim} "
            f"dimensions, but these have {channels} channels and 2 dimensions: connect the VAE "
            "that came with the model."
        )


def _decode(vae: comfy.sd.VAE, latents: Tensor, dtype: torch.dtype) -> Tensor:
    """Decoded pixels about -1..1, in float32, on the device where the host keeps results."""
    needed = len(latents) * vae.memory_used_decode(latents.shape, dtype)
    with running(vae, dtype, needed=needed) as network:
        return network.decode(latents.to(vae.device, dtype)).to(vae.output_device).float()
