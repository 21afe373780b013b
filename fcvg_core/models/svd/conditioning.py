"""What SVD takes of a keyframe besides latents, made as the reference makes it.

Source: Tian-one/FCVG pipeline/pipeline_FCVG.py:140-195, 519-545, 776-869.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from ...errors import UserError

CLIP_SIZE = 224
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)  # OpenAI's CLIP
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
SIZE_STEP = 64  # latents are divided by 8 by the VAE and by 8 by the UNet


def check_size(height: int, width: int) -> None:
    """Raise UserError unless the model can take frames of this size."""
    for name, value in (("height", height), ("width", width)):
        if value < SIZE_STEP or value % SIZE_STEP:
            lower = max(value // SIZE_STEP, 1) * SIZE_STEP
            raise UserError(
                f"The {name} must be a multiple of {SIZE_STEP}, got {value}: "
                f"take {lower} or {lower + SIZE_STEP}."
            )


def augment_keyframe(frame: Tensor, noise: Tensor, strength: float) -> Tensor:
    """A keyframe with augmentation noise, ready for the VAE.

    Args:
        frame: [1, 3, H, W] in 0..1.
        noise: [1, 3, H, W], unit variance, the same for both keyframes.
        strength: as SVD counts it, in the -1..1 range; half as large in 0..1.

    Returns:
        [1, 3, H, W], about 0..1 and not clamped.
    """
    return frame + noise.to(frame) * (strength / 2)


def clip_pixels(frame: Tensor) -> Tensor:
    """A keyframe at CLIP's size: the whole frame, blurred against aliasing, squeezed to a square.

    Args:
        frame: [1, 3, H, W] in 0..1, without augmentation noise.

    Returns:
        [1, 3, 224, 224], about 0..1: bicubic overshoot is kept.

    Differs: hosts resize in another way, about 5 % off; hand them this and they leave it alone.
    """
    for axis in (-1, -2):
        frame = _blur(frame, frame.shape[axis], axis)
    size = (CLIP_SIZE, CLIP_SIZE)
    return F.interpolate(frame, size=size, mode="bicubic", align_corners=True)


def normalize_for_clip(pixels: Tensor) -> Tensor:
    """[1, 3, 224, 224] from `clip_pixels`, less CLIP's mean and over its deviation."""
    mean, std = (pixels.new_tensor(x).reshape(3, 1, 1) for x in (CLIP_MEAN, CLIP_STD))
    return (pixels - mean) / std


def _blur(frame: Tensor, length: int, axis: int) -> Tensor:
    """Gaussian blur along one axis, as wide as shrinking `length` pixels to 224 asks for."""
    sigma = max((length / CLIP_SIZE - 1) / 2, 0.001)
    taps = int(max(4 * sigma, 3)) // 2 * 2 + 1
    at = torch.arange(taps, dtype=frame.dtype, device=frame.device) - taps // 2
    kernel = torch.exp(-(at**2) / (2 * sigma**2))
    shape = (1, 1, 1, taps) if axis == -1 else (1, 1, taps, 1)
    kernel = (kernel / kernel.sum()).reshape(shape).expand(frame.shape[1], -1, -1, -1)
    border = (taps // 2, taps // 2, 0, 0) if axis == -1 else (0, 0, taps // 2, taps // 2)
    padded = F.pad(frame, border, mode="reflect")
    return F.conv2d(padded, kernel, groups=frame.shape[1])
