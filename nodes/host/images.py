"""IMAGE and MASK inputs from any node, checked and brought to one form."""

import logging
import math

import torch
from torch import Tensor

SLACK = 0.5  # outside 0..1: sharp resizing overshoots less, and values in 0..255 far more


def check_image(image: Tensor, name: str) -> Tensor:
    """Pictures of an IMAGE input in the form that all nodes of this pack work with.

    A grey picture becomes RGB, and alpha is dropped. Values outside 0..1 are cut off; a warning
    says so if the values can't come from resizing. Other pictures stay exactly as they are.

    Args:
        image: the input; an IMAGE is [B, H, W, C], floating point in 0..1, with C of 1, 3 or 4.
        name: of the input, for messages.

    Returns:
        [B, H, W, 3] float32, B >= 1. Do not write into it: it may be the input itself.

    Raises:
        ValueError: the input is anything else, or a value is NaN or infinite.
    """
    _check_tensor(image, name, "an IMAGE")
    if image.ndim != 4 or image.shape[-1] not in (1, 3, 4):
        raise ValueError(
            f"{name} has the shape {list(image.shape)}, but an IMAGE has [pictures, height, width, "
            "channels] with 1, 3 or 4 channels: connect a node that gives RGB pictures."
        )
    if image.numel() == 0:
        what = "an empty batch" if len(image) == 0 else f"empty, of the shape {list(image.shape)}"
        raise ValueError(
            f"{name} is {what}, but at least one picture is needed: look at the node that makes it."
        )
    image = image[..., :3].float()
    low, high = _check_range(image, name)
    if low < 0 or high > 1:
        if low < -SLACK or high > 1 + SLACK:
            logging.warning(
                "%s holds values from %.4g to %.4g. An IMAGE has 0 to 1: values "
                "outside are cut off.",
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


def check_mask(mask: Tensor, name: str) -> Tensor:
    """The first mask of a MASK input.

    Args:
        mask: the input; a MASK is [B, H, W] in 0..1. [H, W], one channel before or after height
            and width, and bool values are accepted as well.
        name: of the input, for messages.

    Returns:
        [H, W] float32.

    Raises:
        ValueError: the input is anything else, or a value is NaN or infinite.
    """
    if isinstance(mask, Tensor) and mask.dtype == torch.bool:
        mask = mask.float()
    _check_tensor(mask, name, "a MASK")
    masks = _drop_channel(mask)
    if masks.ndim not in (2, 3):
        raise ValueError(
            f"{name} has the shape {list(mask.shape)}, but a MASK has [masks, height, width]: "
            "connect a node that gives a MASK, such as Convert Image to Mask."
        )
    if masks.numel() == 0:
        raise ValueError(
            f"{name} is empty, of the shape {list(mask.shape)}, but one mask is needed: connect a "
            "mask, or nothing to allow the whole frame."
        )
    first = (masks if masks.ndim == 2 else masks[0]).float()
    _check_range(first, name)
    return first


def _drop_channel(mask: Tensor) -> Tensor:
    """[B, 1, H, W] or [B, H, W, 1] without the channel; other shapes stay as they are."""
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
    # Picture by picture: a picture without its alpha is a view, and aminmax of all pictures would
    # copy them all. A bound is NaN if one value is NaN.
    lows, highs = zip(*(torch.aminmax(part) for part in values), strict=True)
    low, high = float(torch.stack(lows).min()), float(torch.stack(highs).max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(
            f"{name} holds NaN or infinite values, but all have to be finite numbers from 0 to 1: "
            "look at the node that makes it."
        )
    return low, high
