"""VAE decoding in chunks of a stated length.

The host's decode cuts a clip by free memory. SVD's temporal decoder treats every piece as a clip
of its own, so the same latents would give another picture on another card.
"""

import logging

import comfy.model_management as mm
import comfy.sd
import comfy.utils
import torch
from torch import Tensor


def decode_frames(vae: comfy.sd.VAE, latents: Tensor, frames_per_chunk: int) -> Tensor:
    """Frames of a video, the same on every card that has memory for a chunk.

    Args:
        latents: [T, 4, h, w].
        frames_per_chunk: 2 is the reference's; it is halved, with a warning, when memory runs out.

    Returns:
        [T, 8h, 8w, 3] in 0..1.

    Raises:
        ValueError: not a number came out of the sampler or of the VAE.
    """
    vae.throw_exception_if_invalid()
    if latents.ndim != 4 or vae.latent_dim != 2 or latents.shape[1] != vae.latent_channels:
        raise ValueError(
            f"The latents are {tuple(latents.shape)}, but SVD's are (frames, 4, height, width) "
            "and its VAE decodes those: connect the VAE that came with the model."
        )
    if not latents.isfinite().all():
        raise ValueError(
            "Sampling gave values that are not numbers. Try another sampler, a lower guidance, "
            "or start ComfyUI with --force-fp32."
        )
    progress = comfy.utils.ProgressBar(len(latents))
    decoded: list[Tensor] = []
    done = 0
    while done < len(latents):
        mm.throw_exception_if_processing_interrupted()
        frames = _decode_chunk(vae, latents[done : done + frames_per_chunk])
        if frames is None:
            frames_per_chunk //= 2
            logging.warning("Memory ran out: decoding %d frames a chunk now.", frames_per_chunk)
            continue
        decoded.append(frames)
        done += len(frames)
        progress.update_absolute(done)
    return torch.cat(decoded).movedim(1, -1)


def _decode_chunk(vae: comfy.sd.VAE, latents: Tensor) -> Tensor | None:
    """[t, 3, H, W] in 0..1; None where memory ran out and a shorter chunk may help."""
    try:
        frames = _run(vae, latents, vae.vae_dtype)
        if not frames.isfinite().all() and vae.vae_dtype != torch.float32:
            logging.warning("The VAE overflowed in %s: decoding in float32.", vae.vae_dtype)
            frames = _run(vae, latents, torch.float32)
    except mm.OOM_EXCEPTION:
        if len(latents) == 1:
            raise
        # Retried by the caller: until here the exception holds the chunk's tensors.
        return None
    if not frames.isfinite().all():
        raise ValueError("The VAE gave values that are not numbers, in float32 too.")
    return vae.process_output(frames)


def _run(vae: comfy.sd.VAE, latents: Tensor, dtype: torch.dtype) -> Tensor:
    """Decoded pixels about -1..1, float32, where the host keeps results."""
    needed = len(latents) * vae.memory_used_decode(latents.shape, dtype)
    mm.load_models_gpu([vae.patcher], memory_required=needed)
    network = vae.first_stage_model
    try:
        network.to(dtype)
        return network.decode(latents.to(vae.device, dtype)).to(vae.output_device).float()
    finally:
        network.to(vae.vae_dtype)
