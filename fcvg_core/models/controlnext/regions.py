"""Where ControlNeXt steers: masks of the frames, for the hidden state that is steered."""

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...errors import UserError


def check_num_masks(masks: Tensor, num_frames: int) -> None:
    """Raise UserError unless masks [B, H, W] are one for all frames, or one for each frame."""
    if len(masks) not in (1, num_frames):
        raise UserError(
            f"There are {len(masks)} masks, but {num_frames} control frames: give one mask for all "
            "frames, or one for each frame."
        )


def soften_masks(masks: Tensor, feather: float) -> Tensor:
    """Masks whose edges are soft: a straight edge becomes an even ramp with the edge in its middle.

    Args:
        masks: [B, H, W] in 0..1.
        feather: width of the ramp in pixels; below 1 the masks stay as they are.

    Returns:
        [B, H, W] float32 in 0..1.
    """
    width = 2 * round(feather / 2) + 1
    if width == 1:
        return masks
    soft = [
        cv2.blur(mask.numpy(), (width, width), borderType=cv2.BORDER_REPLICATE) for mask in masks
    ]
    return torch.from_numpy(np.stack(soft)).clamp(0, 1)


def shrink_masks(masks: Tensor, num_frames: int, size: tuple[int, int]) -> Tensor:
    """Masks at the size of the hidden state that is steered, each value the mean of its area.

    Args:
        masks: [B, H, W] in 0..1; B is 1 or `num_frames`.
        num_frames: of the video, T.
        size: (height, width) of the hidden state.

    Returns:
        [T, 1, *size] float32.
    """
    return F.adaptive_avg_pool2d(masks[:, None], size).expand(num_frames, -1, -1, -1)
