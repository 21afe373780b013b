"""Checks IMAGE and MASK inputs and converts them to one format."""

import logging
import math

import torch
from torch import Tensor

# Values this far outside 0..1 cause a warning. Sharp resizing overshoots by less; values in 0..255
# exceed it by far.
SLACK = 0.5


def check_image(image: Tensor, name: str) -> Tensor:
    """Pictures of an IMAGE input in the format that all nodes work with.

    Grey is repeated to RGB, and alpha is dropped. Values outside 0..1 are clamped; if resizing
    can't explain such values, a warning is logged. All other values stay exactly the same.

    Args:
        image: the connected value; an IMAGE is [B, H, W, C], floating point in 0..1, C is 1, 3 or
            4.
        name: name of the input, for messages.

    Returns:
        [B, H, W, 3] float32, B >= 1. Do not write into it: it may be the input itself.

    Raises:
        ValueError: the input is not an IMAGE, or a value is NaN or infinite.
    """
    _check_tensor(image, name, "an IMAGE")
    if image.ndim != 4 or image.shape[-1] not in (1, 3, 4):
        raise ValueError(
            f"{name} has the shape {list(image.shape)}, but an IMAGE has [pictures, height, width, "
            "channels] with 1, 3 or 4 channels: connect a node that gives RGB pictures."
        )
    if image.numel() == 0:
        fault = "an empty batch" if len(image) == 0 else f"empty, of shape {list(image.shape)}"
        raise ValueError(
            f"{name} is {fault}, but at least one picture is needed: check the node that makes it."
        )
    image = image[..., :3].float()
    low, high = _check_range(image, name)
    if low < 0 or high > 1:
        if low < -SLACK or high > 1 + SLACK:
            logging.warning(
                "%s holds values from %.4g to %.4g. An IMAGE has values from 0 to 1: values "
                "outside are clamped.",
                name,
                low,
                high,
            )
        image = image.clamp(0, 1)
    return image.expand(*image.shape[:-1], 3)


def first_picture(image: Tensor, name: str) -> Tensor:
    """The first picture of an IMAGE input, checked as in `check_image`: [1, H, W, 3]."""
    several = isinstance(image, Tensor) and image.ndim == 4
    return check_image(image[:1] if several else image, name)


def check_masks(masks: Tensor, name: str) -> Tensor:
    """All masks of a MASK input.

    Args:
        masks: the connected value; a MASK is [B, H, W] in 0..1. Also accepted are [H, W], one
            channel before or after height and width, and bool values.
        name: name of the input, for messages.

    Returns:
        [B, H, W] float32, B >= 1. Do not write into it: it may be the input itself.

    Raises:
        ValueError: the input is not a MASK, or a value is NaN or infinite.
    """
    if isinstance(masks, Tensor) and masks.dtype == torch.bool:
        masks = masks.float()
    _check_tensor(masks, name, "a MASK")
    found = _drop_channel(masks)
    if found.ndim not in (2, 3):
        raise ValueError(
            f"{name} has the shape {list(masks.shape)}, but a MASK has [masks, height, width]: "
            "connect a node that gives a MASK, such as Convert Image to Mask."
        )
    if found.numel() == 0:
        raise ValueError(
            f"{name} is empty, with the shape {list(masks.shape)}, but one mask is needed: connect "
            "a mask, or nothing for the whole frame."
        )
    found = (found[None] if found.ndim == 2 else found).float()
    _check_range(found, name)
    return found


def check_mask(mask: Tensor, name: str) -> Tensor:
    """The first mask of a MASK input, checked as in `check_masks`: [H, W] float32."""
    return check_masks(mask[:1] if _holds_several(mask) else mask, name)[0]


def _holds_several(mask: Tensor) -> bool:
    return isinstance(mask, Tensor) and mask.ndim >= 3


def _drop_channel(mask: Tensor) -> Tensor:
    """[B, 1, H, W] or [B, H, W, 1] without the channel; other shapes unchanged."""
    if mask.ndim == 4 and mask.shape[1] == 1:
        return mask[:, 0]
    return mask[..., 0] if mask.ndim == 4 and mask.shape[-1] == 1 else mask


def _check_tensor(value: object, name: str, kind: str) -> None:
    """Raise ValueError unless a value is a tensor of floating-point numbers."""
    if not isinstance(value, Tensor):
        raise ValueError(
            f"{name} is of type {type(value).__name__}, but {kind} is a tensor: connect a node "
            f"that gives {kind}."
        )
    if not value.is_floating_point():
        raise ValueError(
            f"{name} holds numbers of type {value.dtype}, but {kind} has floating-point numbers "
            "from 0 to 1: convert it in the node that makes it."
        )


def _check_range(values: Tensor, name: str) -> tuple[float, float]:
    """The smallest and the largest value; ValueError if a value is NaN or infinite."""
    # Done picture by picture, because an image without its alpha is a view, and aminmax would copy
    # it as a whole. Both bounds are NaN if any value is NaN.
    lows, highs = zip(*(torch.aminmax(part) for part in values), strict=True)
    low, high = float(torch.stack(lows).min()), float(torch.stack(highs).max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(
            f"{name} holds NaN or infinite values, but all values must be finite numbers from 0 to "
            "1: check the node that makes it."
        )
    return low, high
