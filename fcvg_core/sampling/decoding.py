"""Latents of a video -> frames, a chunk of frames at a time, for any VAE."""

import logging
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ..errors import UserError

Decode = Callable[[Tensor, torch.dtype], Tensor]  # [t, ...] latents, number format -> [t, ...]


def decode_in_chunks(
    latents: Tensor,
    chunk: int,
    *,
    dtype: torch.dtype,
    decode: Decode,
    is_out_of_memory: Callable[[Exception], bool],
    free_memory: Callable[[], None],
    remedy: str,
) -> Iterator[Tensor]:
    """Decode a video chunk by chunk; a chunk is decoded when the caller asks for it.

    When memory runs out, this chunk and all later chunks become half as long. A chunk that
    overflows in the VAE's number format is decoded again in float32.

    Args:
        latents: [T, ...].
        chunk: number of frames that are decoded at once.
        dtype: the VAE's number format.
        decode: decodes a chunk in a number format.
        is_out_of_memory: tells whether an error of `decode` means that memory ran out.
        free_memory: frees cached memory before a shorter chunk is tried.
        remedy: one or two sentences for the message about latents that are not numbers.

    Yields:
        [t, ...] frames, as `decode` returns them.

    Raises:
        UserError: the latents or the frames hold values that are not numbers.
    """
    if not latents.isfinite().all():
        raise UserError(f"Sampling gave values that are not numbers. {remedy}")
    done = 0
    while done < len(latents):
        frames = _decode_chunk(latents[done : done + chunk], dtype, decode, is_out_of_memory)
        if frames is None:
            chunk //= 2
            logging.warning("Memory ran out: frames that are decoded at once reduced to %d.", chunk)
            free_memory()
            continue
        done += len(frames)
        yield frames


def _decode_chunk(
    latents: Tensor,
    dtype: torch.dtype,
    decode: Decode,
    is_out_of_memory: Callable[[Exception], bool],
) -> Tensor | None:
    """Frames of one chunk; None where memory ran out and a shorter chunk may help."""
    try:
        frames = decode(latents, dtype)
        if not frames.isfinite().all() and dtype != torch.float32:
            logging.warning("The VAE overflowed in %s: decoding in float32.", dtype)
            frames = decode(latents, torch.float32)
    except Exception as error:
        if len(latents) == 1 or not is_out_of_memory(error):
            raise
        # The caller retries, after this function is left: the live exception still refers to the
        # chunk's tensors.
        return None
    if not frames.isfinite().all():
        raise UserError("The VAE gave values that are not numbers, in float32 too.")
    return frames
