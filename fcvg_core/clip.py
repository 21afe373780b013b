"""Prepares a picture for CLIP's image encoder in the same way as the official code of SVD.

Source: Tian-one/FCVG pipeline/pipeline_FCVG.py:140-195, 776-869; DynamiCrafter does the same.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

CLIP_SIZE = 224
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)  # OpenAI's CLIP
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


def clip_pixels(frame: Tensor) -> Tensor:
    """A picture at CLIP's size: the whole picture, blurred against aliasing, resized to a square.

    Args:
        frame: [1, 3, H, W] in 0..1, without augmentation noise.

    Returns:
        [1, 3, 224, 224], about 0..1: bicubic overshoot is kept.

    ComfyUI's own resize differs by about 5 %. It does not touch a picture that is already
    224 x 224, so pass this one.
    """
    for axis in (-1, -2):
        frame = _blur(frame, frame.shape[axis], axis)
    size = (CLIP_SIZE, CLIP_SIZE)
    return F.interpolate(frame, size=size, mode="bicubic", align_corners=True)


def normalize_for_clip(pixels: Tensor) -> Tensor:
    """Pixels from `clip_pixels`, minus CLIP's mean, divided by its deviation: [1, 3, 224, 224]."""
    mean, std = (pixels.new_tensor(x).reshape(3, 1, 1) for x in (CLIP_MEAN, CLIP_STD))
    return (pixels - mean) / std


def _blur(frame: Tensor, length: int, axis: int) -> Tensor:
    """Gaussian blur of [1, 3, H, W] along one axis, as wide as shrinking to 224 pixels needs."""
    if length <= CLIP_SIZE:
        return frame  # the kernel would be 1 between zeros, and a single pixel can't be reflected
    sigma = max((length / CLIP_SIZE - 1) / 2, 0.001)
    taps = int(max(4 * sigma, 3)) // 2 * 2 + 1
    at = torch.arange(taps, dtype=frame.dtype, device=frame.device) - taps // 2
    kernel = torch.exp(-(at**2) / (2 * sigma**2))
    shape = (1, 1, 1, taps) if axis == -1 else (1, 1, taps, 1)
    kernel = (kernel / kernel.sum()).reshape(shape).expand(frame.shape[1], -1, -1, -1)
    border = (taps // 2, taps // 2, 0, 0) if axis == -1 else (0, 0, taps // 2, taps // 2)
    padded = F.pad(frame, border, mode="reflect")
    return F.conv2d(padded, kernel, groups=frame.shape[1])
