"""Pictures and masks of any size, brought to the size of the video."""

import logging

import torch
from comfy.model_management import throw_exception_if_processing_interrupted
from torch import Tensor

from ...fcvg_core.choices import ANCHORS, PICTURE_FITS, STRETCH
from ...fcvg_core.frames import fit_frame, fit_mask, to_image, to_uint8
from ...fcvg_core.placement import is_same_shape, place_picture


def fit_pictures(
    images: Tensor,
    size: tuple[int, int],
    name: str,
    fit: str = PICTURE_FITS[0],
    anchor: str = ANCHORS[0],
) -> Tensor:
    """Pictures at a size; the log says once what is cut off or added.

    Pictures that already have this size are not changed, not even rounded to 8 bits.

    Args:
        images: [B, h, w, 3] from `check_image`.
        size: (height, width).
        name: of the pictures in the log.
        fit, anchor: see `place_picture`. The default crops as the official code does.

    Returns:
        [B, *size, 3] in 0..1, float32. Do not write into it: it may be `images`.

    Raises:
        ValueError: see `place_picture`.
    """
    placement = place_picture(tuple(images.shape[1:3]), size, fit, anchor)
    if placement.picture == size:
        return images
    logging.info("%s: %s", name, placement)
    fitted = []
    for image in images:
        throw_exception_if_processing_interrupted()
        fitted.append(to_image(fit_frame(to_uint8(image), size, fit, anchor)[None]))
    return torch.cat(fitted)


def fit_masks(
    masks: Tensor,
    picture: tuple[int, int],
    size: tuple[int, int],
    name: str,
    fit: str = PICTURE_FITS[0],
    anchor: str = ANCHORS[0],
) -> Tensor:
    """Masks that lie on pictures at a size as they lay on the pictures before.

    A mask of another size than the pictures is first stretched to them. The empty mask of 64 x 64
    that Load Image gives for a picture without transparency stays empty.

    Args:
        masks: [B, h, w] from `check_masks`.
        picture: (height, width) of the pictures before.
        size: (height, width) of the result.
        name: of the masks in the log.
        fit, anchor: those of the pictures.

    Returns:
        [B, *size] float32.
    """
    if not masks.any():
        return masks.new_zeros(len(masks), *size)
    found = tuple(masks.shape[1:])
    if not is_same_shape(found, picture):
        logging.warning(
            "%s has %d x %d pixels, the picture %d x %d: the mask is stretched to the picture's "
            "proportions.",
            name,
            *found[::-1],
            *picture[::-1],
        )
    fitted = []
    for mask in masks:
        throw_exception_if_processing_interrupted()
        on_picture = fit_mask(mask.cpu().numpy(), picture, STRETCH)
        fitted.append(torch.from_numpy(fit_mask(on_picture, size, fit, anchor)))
    return torch.stack(fitted)
