"""Picture files of any size and kind -> the two keyframes of a video."""

import logging
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import UserError
from ..frames import fit_frame


def read_keyframes(first: Path, last: Path, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Both keyframes at one size: cropped and resized, unless they have it.

    Args:
        size: (height, width) in pixels.

    Returns:
        Two frames [height, width, 3] uint8.

    Raises:
        UserError: a file is missing, damaged or no picture.
    """
    frames = read_frame(first), read_frame(last)
    shapes = [frame.shape[:2] for frame in frames]
    if shapes[0] != shapes[1]:
        logging.info(
            "The first frame is %s and the last %s pixels: both become %s.",
            *(f"{width} x {height}" for height, width in (*shapes, size)),
        )
    return tuple(fit_frame(frame, size) for frame in frames)


def read_frame(path: Path) -> np.ndarray:
    """A picture as uint8 [H, W, 3], the way up that its camera noted.

    Transparency is dropped, as the reference does. Numbers beyond 8 bits are scaled, where PIL's
    own conversion would clip them to white.

    Raises:
        UserError: the file is missing, damaged or no picture.
    """
    if not path.is_file():
        raise UserError(f"There is no picture {path}.")
    try:
        with Image.open(path) as opened:
            picture = ImageOps.exif_transpose(opened)
            return np.array(_to_8_bits(picture).convert("RGB"))
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(
            f"{path} ({path.stat().st_size} bytes) can't be read as a picture: it is empty, cut "
            "off, too large or of an unknown kind. Save it as PNG or JPEG again."
        ) from error


def _to_8_bits(picture: Image.Image) -> Image.Image:
    """Grey pictures of 16 bits, 32 bits or floating point, brought to 0..255."""
    if not picture.mode.startswith(("I", "F")):
        return picture
    values = np.nan_to_num(np.asarray(picture, np.float64))
    if picture.mode == "F":
        scale = 255.0 if values.max() <= 1 else 1.0
    else:  # PIL opens 16-bit files as 16 or as 32 bits, depending on its version
        scale = 1.0 if picture.mode == "I" and values.max() <= 255 else 255 / 65535
    return Image.fromarray((values * scale).round().clip(0, 255).astype(np.uint8))
