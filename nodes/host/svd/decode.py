"""VAE decoding in chunks of a stated length.

The host's decode cuts a clip by free memory. SVD's temporal decoder treats every piece as a clip
of its own, so the same latents would give another picture on another card.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import comfy.model_management as mm
import comfy.sd
import comfy.utils
import torch
from torch import Tensor, nn


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
    shape_fits = latents.ndim == 4 and len(latents) and latents.shape[1] == vae.latent_channels
    if vae.latent_dim != 2 or not shape_fits:
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
    video = None
    done = 0
    while done < len(latents):
        mm.throw_exception_if_processing_interrupted()
        frames = _decode_chunk(vae, latents[done : done + frames_per_chunk])
        if frames is None:
            frames_per_chunk //= 2
            logging.warning("Memory ran out: decoding %d frames a chunk now.", frames_per_chunk)
            mm.soft_empty_cache()
            continue
        if video is None:  # the whole video once, and not its chunks beside it
            video = frames.new_empty(len(latents), *frames.shape[1:])
        video[done : done + len(frames)] = frames
        done += len(frames)
        progress.update_absolute(done)
    return video.movedim(1, -1)


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error says that a card's memory ran out; newer torch has two kinds of it."""
    if hasattr(mm, "is_oom"):
        return mm.is_oom(error)
    late = isinstance(error, getattr(torch, "AcceleratorError", ()))
    return isinstance(error, mm.OOM_EXCEPTION) or (late and "out of memory" in str(error).lower())


def _decode_chunk(vae: comfy.sd.VAE, latents: Tensor) -> Tensor | None:
    """[t, 3, H, W] in 0..1; None where memory ran out and a shorter chunk may help."""
    try:
        frames = _run(vae, latents, vae.vae_dtype)
        if not frames.isfinite().all() and vae.vae_dtype != torch.float32:
            logging.warning("The VAE overflowed in %s: decoding in float32.", vae.vae_dtype)
            frames = _run(vae, latents, torch.float32)
    except Exception as error:
        if len(latents) == 1 or not is_out_of_memory(error):
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
    on_card = getattr(mm, "cuda_device_context", nullcontext)
    convert = nullcontext() if dtype == vae.vae_dtype else _weights_follow_input(network)
    with on_card(vae.device), convert:
        return network.decode(latents.to(vae.device, dtype)).to(vae.output_device).float()


@contextmanager
def _weights_follow_input(network: nn.Module) -> Iterator[None]:
    """Let the host's layers convert each weight to the input's number format as they use it.

    The weights themselves stay as they are: where the host streams them, they are memory maps of
    a file, or lie on the card only while they are used.
    """
    layers = [m for m in network.modules() if hasattr(m, "comfy_cast_weights")]
    before = [vars(layer).get("comfy_cast_weights") for layer in layers]
    try:
        for layer in layers:
            layer.comfy_cast_weights = True
        yield
    finally:
        for layer, value in zip(layers, before, strict=True):
            if value is None:
                del layer.comfy_cast_weights
            else:
                layer.comfy_cast_weights = value
