"""Latents of a video <-> its frames, a chunk of frames at a time, for any VAE."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError

Convert = Callable[[Tensor, torch.dtype], Tensor]  # [t, ...], number format -> [t, ...]


def check_sampled(latents: Tensor, remedy: str) -> None:
    """Raise UserError if latents hold values that are not numbers.

    Args:
        latents: any shape.
        remedy: one or two sentences for the message.
    """
    if not latents.isfinite().all():
        raise UserError(f"Sampling gave values that are not numbers. {remedy}")


def decode_in_chunks(
    latents: Tensor,
    chunk: int,
    *,
    dtype: torch.dtype,
    decode: Convert,
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
        remedy: see `check_sampled`.

    Yields:
        [t, ...] frames, as `decode` returns them.

    Raises:
        UserError: the latents or the frames hold values that are not numbers.
    """
    check_sampled(latents, remedy)
    work = _Work("decoding", "decoded", decode, is_out_of_memory, free_memory)
    yield from work.do(latents, chunk, dtype)


def encode_in_chunks(
    frames: Tensor,
    chunk: int,
    *,
    dtype: torch.dtype,
    encode: Convert,
    is_out_of_memory: Callable[[Exception], bool],
    free_memory: Callable[[], None],
) -> Iterator[Tensor]:
    """Encode a video chunk by chunk: the counterpart of `decode_in_chunks`.

    Args:
        frames: [T, ...], in the form that `encode` takes.
        chunk: number of frames that are encoded at once.
        dtype: the VAE's number format.
        encode: encodes a chunk in a number format.
        is_out_of_memory, free_memory: see `decode_in_chunks`.

    Yields:
        [t, ...] latents, as `encode` returns them.

    Raises:
        UserError: the latents hold values that are not numbers.
    """
    work = _Work("encoding", "encoded", encode, is_out_of_memory, free_memory)
    yield from work.do(frames, chunk, dtype)


@dataclass(frozen=True)
class _Work:
    """What is done with each chunk, and how its errors are met.

    Attributes:
        doing, done: the work in words, for messages.
    """

    doing: str
    done: str
    convert: Convert
    is_out_of_memory: Callable[[Exception], bool]
    free_memory: Callable[[], None]

    def do(self, frames: Tensor, chunk: int, dtype: torch.dtype) -> Iterator[Tensor]:
        """The converted chunks of a video, one after the other."""
        count = 0
        while count < len(frames):
            converted = self._convert_chunk(frames[count : count + chunk], dtype)
            if converted is None:
                chunk //= 2
                logging.warning(
                    "Memory ran out: frames that are %s at once reduced to %d.", self.done, chunk
                )
                self.free_memory()
                continue
            count += len(converted)
            yield converted

    def _convert_chunk(self, frames: Tensor, dtype: torch.dtype) -> Tensor | None:
        """One converted chunk; None where memory ran out and a shorter chunk may help."""
        try:
            converted = self.convert(frames, dtype)
            if not converted.isfinite().all() and dtype != torch.float32:
                logging.warning("The VAE overflowed in %s: %s in float32.", dtype, self.doing)
                converted = self.convert(frames, torch.float32)
        except Exception as error:
            if len(frames) == 1 or not self.is_out_of_memory(error):
                raise
            # The caller retries, after this function is left: the live exception still refers to
            # the chunk's tensors.
            return None
        if not converted.isfinite().all():
            raise UserError("The VAE gave values that are not numbers, in float32 too.")
        return converted
