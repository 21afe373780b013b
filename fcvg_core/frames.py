"""Frames and batches of frames: in core they are numpy uint8, ComfyUI's images are float 0..1.

Convert between the two only with `to_uint8` and `to_image`.
"""

from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

from .choices import ANCHORS, PICTURE_FITS
from .placement import Placement, place_picture


def to_gray(frame: np.ndarray) -> np.ndarray:
    """Grey values of a frame, computed as in PIL's mode 'L'.

    Args:
        frame: [H, W, 3] uint8.

    Returns:
        [H, W] uint8, (19595 R + 38470 G + 7471 B + 32768) >> 16.

    Raises:
        ValueError: the frame is not [H, W, 3] uint8.

    Source: Tian-one/FCVG demo_FCVG.py (`convert('L')`).
    """
    check_frame(frame)
    return np.asarray(Image.fromarray(frame).convert("L"))


def to_uint8(image: torch.Tensor) -> np.ndarray:
    """Float images as uint8 frames; grey is repeated to three channels and alpha is dropped.

    Args:
        image: [..., H, W, C] float, 0..1 (values outside are clamped); C is 1, 3 or 4.

    Returns:
        [..., H, W, 3] uint8, rounded.

    Raises:
        ValueError: C is not 1, 3 or 4, the numbers are not floating-point numbers, or a value is
            NaN or infinite.
    """
    if not image.is_floating_point():
        raise ValueError(f"expected an image of floating-point numbers in 0..1, got {image.dtype}")
    if image.ndim < 3 or image.shape[-1] not in (1, 3, 4):
        raise ValueError(f"expected an image [..., H, W, 1, 3 or 4], got {list(image.shape)}")
    image = image.detach()[..., :3].float()
    if not torch.isfinite(image).all():
        raise ValueError("the image holds NaN or infinite values; expected numbers in 0..1")
    levels = (image * 255).round().clamp(0, 255).to(device="cpu", dtype=torch.uint8)
    return levels.expand(*levels.shape[:-1], 3).numpy().copy()


def to_image(frames: np.ndarray) -> torch.Tensor:
    """uint8 frames as a float image batch, ComfyUI's format.

    Args:
        frames: [T, H, W, 3] uint8.

    Returns:
        [T, H, W, 3] float32, 0..1.

    Raises:
        ValueError: the frames are not [T, H, W, 3] uint8.
    """
    check_frames(frames)
    return torch.from_numpy(np.ascontiguousarray(frames)).float().div_(255)


def crop_resize(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A frame cropped around its centre to the aspect ratio of `size`, then resized to `size`.

    Resizing is bicubic and antialiased. Even a frame that already has this size can lose one row
    or column, because the official code rounds the crop down; see `fit_frame`.

    Args:
        frame: [H, W, 3] uint8.
        size: (height, width) of the result, in pixels.

    Returns:
        [height, width, 3] uint8.

    Raises:
        ValueError: the frame is not [H, W, 3] uint8, or the size is not positive.

    Source: Tian-one/FCVG demo_FCVG.py crop_and_resize.
    Differs: at least one row and one column of a very long frame are kept.
    """
    check_frame(frame)
    placement = place_picture(frame.shape[:2], size)
    return _placed(Image.fromarray(frame), placement, Image.Resampling.BICUBIC)


def fit_frame(
    frame: np.ndarray,
    size: tuple[int, int],
    fit: str = PICTURE_FITS[0],
    anchor: str = ANCHORS[0],
) -> np.ndarray:
    """A frame of the given size: cropped, padded or stretched; unchanged if it has this size.

    Args:
        frame: [H, W, 3] uint8.
        size: (height, width) of the result, in pixels.
        fit, anchor: see `place_picture`. The default is `crop_resize`.

    Returns:
        [height, width, 3] uint8.

    Raises:
        ValueError: the frame is not [H, W, 3] uint8, or see `place_picture`.

    Differs: the official code also crops a frame of the right size, so that some sizes (for
        example 576 x 448) lose a row.
    """
    check_frame(frame)
    placement = place_picture(frame.shape[:2], size, fit, anchor)
    if placement.picture == placement.frame:
        return frame
    return _placed(Image.fromarray(frame), placement, Image.Resampling.BICUBIC)


def resize_linear(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A frame stretched to a size without antialiasing, as the frames of SMCD's training were.

    Args:
        frame: [H, W, 3] uint8.
        size: (height, width) of the result, in pixels.

    Returns:
        [height, width, 3] uint8.

    Raises:
        ValueError: the frame is not [H, W, 3] uint8.

    Source: albumentations 1.3.1, Resize, as in Mingxiao-Li/Animate-Your-Motion
        data/got10k_dataset.py.
    """
    check_frame(frame)
    return cv2.resize(frame, size[::-1], interpolation=cv2.INTER_LINEAR)


def fit_mask(
    mask: np.ndarray,
    size: tuple[int, int],
    fit: str = PICTURE_FITS[0],
    anchor: str = ANCHORS[0],
) -> np.ndarray:
    """A mask of the given size that lies on `fit_frame` as the mask lay on the frame before.

    Edges become soft, but no value leaves the range of the mask. What padding adds is 0.

    Args:
        mask: [H, W] float32.
        size, fit, anchor: see `fit_frame`.

    Returns:
        [height, width] float32.

    Raises:
        ValueError: see `place_picture`.
    """
    placement = place_picture(mask.shape, size, fit, anchor)
    if placement.picture == placement.frame:
        return mask
    return _placed(Image.fromarray(mask), placement, Image.Resampling.BILINEAR)


def _placed(picture: Image.Image, placement: Placement, resample: int) -> np.ndarray:
    """A picture or mask where a placement says; black beside it."""
    left, top, right, bottom = placement.box
    part = picture.crop(placement.kept).resize((right - left, bottom - top), resample)
    height, width = placement.frame
    if part.size != (width, height):
        part, inner = Image.new(picture.mode, (width, height)), part
        part.paste(inner, (left, top))
    return np.asarray(part).copy()


def overlay(below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Draw all parts of `above` that are not black over `below`.

    This is done for each channel separately: where a channel of `above` is 0, the result has the
    same channel of `below`.

    Args:
        below, above: [..., H, W, 3] uint8 of one shape.

    Returns:
        [..., H, W, 3] uint8.

    Raises:
        ValueError: the shapes differ.

    Source: Tian-one/FCVG demo_FCVG.py (`fusion`).
    """
    if below.shape != above.shape:
        raise ValueError(
            f"expected frames of one shape, got {list(below.shape)} and {list(above.shape)}"
        )
    return np.where(above != 0, above, below)


def side_by_side(*frames: np.ndarray) -> np.ndarray:
    """Frames next to each other, for example reference picture, control frame and result.

    All frames are resized to the height of the last frame.

    Args:
        frames: [H, W, 3] uint8 of any sizes.

    Returns:
        [height of the last frame, sum of the widths, 3] uint8.

    Raises:
        ValueError: there is no frame, or a frame is not [H, W, 3] uint8.

    Source: dvlab-research/ControlNeXt ControlNeXt-SVD-v2 run_controlnext.py save_vid_side_by_side.
    Differs: any number of frames is possible, and their proportions are kept.
    """
    if not frames:
        raise ValueError("expected at least one frame, got none")
    for frame in frames:
        check_frame(frame)
    return np.concatenate([_at_height(frame, len(frames[-1])) for frame in frames], axis=1)


def _at_height(frame: np.ndarray, height: int) -> np.ndarray:
    if len(frame) == height:
        return frame
    width = max(round(frame.shape[1] * height / len(frame)), 1)
    image = Image.fromarray(frame).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image)


def check_frame(frame: np.ndarray) -> None:
    """Raise ValueError unless the frame is [H, W, 3] uint8 with at least one pixel."""
    if not _is_rgb(frame, 3) or frame.size == 0:
        raise ValueError(f"expected a frame [H, W, 3] uint8, got {_described(frame)}")


def check_frames(frames: np.ndarray) -> None:
    """Raise ValueError unless the frames are [T, H, W, 3] uint8; T may be 0."""
    if not _is_rgb(frames, 4):
        raise ValueError(f"expected frames [T, H, W, 3] uint8, got {_described(frames)}")


def _is_rgb(value: Any, dimensions: int) -> bool:
    is_bytes = isinstance(value, np.ndarray) and value.dtype == np.uint8
    return is_bytes and value.ndim == dimensions and value.shape[-1] == 3


def _described(value: Any) -> str:
    """An array's shape and number format; the type of anything else."""
    if isinstance(value, np.ndarray):
        return f"{list(value.shape)} {value.dtype}"
    return f"a value of type {type(value).__name__}, which is no NumPy array"
