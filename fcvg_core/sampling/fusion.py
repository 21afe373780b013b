"""A forward prediction and a backward prediction -> one prediction, frame by frame.

Source: FCVG (arXiv 2412.11755) section 3.3; Tian-one/FCVG pipeline/pipeline_FCVG.py:392-402.
"""

import torch
from torch import Tensor


def fuse(forward: Tensor, backward: Tensor) -> Tensor:
    """Weighted mean of two predictions of the same frames.

    The first frame is entirely `forward`, the last frame entirely `backward`.

    Args:
        forward, backward: [T, ...] in the same frame order (flip the backward prediction first).

    Returns:
        [T, ...] w * forward + (1 - w) * backward, where w falls linearly from 1 to 0.
    """
    weight = per_frame(torch.linspace(1, 0, forward.shape[0]), forward)
    # 1 - weight would be off by a last digit here and there, and then swapped keyframes would not
    # give exactly the flipped video.
    return weight * forward + weight.flip(0) * backward


def per_frame(values: Tensor, like: Tensor) -> Tensor:
    """One value for each frame, in the device and type of `like` [T, ...]: [T] -> [T, 1, ...]."""
    return values.to(like).reshape(-1, *[1] * (like.ndim - 1))
