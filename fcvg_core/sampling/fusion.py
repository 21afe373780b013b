"""A forward prediction and a backward one -> one, frame by frame.

Source: FCVG (arXiv 2412.11755) section 3.3; Tian-one/FCVG pipeline/pipeline_FCVG.py:392-402.
"""

import torch
from torch import Tensor


def fuse(forward: Tensor, backward: Tensor) -> Tensor:
    """Blend two predictions of the same frames: all forward first, all backward last.

    Args:
        forward, backward: [T, ...] in the same frame order (flip the backward one first).

    Returns:
        [T, ...] w * forward + (1 - w) * backward, w falling linearly from 1 to 0.
    """
    weight = _per_frame(torch.linspace(1, 0, forward.shape[0]), forward)
    # 1 - weight would be off by a last digit here and there, and then swapped keyframes would not
    # give exactly the flipped video.
    return weight * forward + weight.flip(0) * backward


def guidance_ramp(minimum: float, maximum: float, like: Tensor) -> Tensor:
    """Guidance scale of every frame, rising linearly from `minimum` to `maximum`.

    The backward pass takes it in its own frame order, so there it falls after flipping back.

    Returns:
        [T, 1, ...] that multiplies a prediction shaped `like` [T, ...].
    """
    return _per_frame(torch.linspace(minimum, maximum, like.shape[0]), like)


def flip_chunks(batch: Tensor, flipped: list[bool]) -> Tensor:
    """Reverse the frame order of some of the chunks that were concatenated to one batch.

    Args:
        batch: [len(flipped) * T, ...], chunk after chunk.
        flipped: for each chunk, whether its frames are to be reversed.
    """
    if not any(flipped):
        return batch
    chunks = zip(batch.chunk(len(flipped)), flipped, strict=True)
    return torch.cat([chunk.flip(0) if flip else chunk for chunk, flip in chunks])


def _per_frame(values: Tensor, like: Tensor) -> Tensor:
    """[T] -> [T, 1, 1, ...] on the device and in the type of `like`."""
    return values.to(like).reshape(-1, *[1] * (like.ndim - 1))
