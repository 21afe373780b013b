"""Picture files of any size and kind -> the two keyframes of a video."""

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

from ...errors import UserError
from ...files.plain_file import check_file
from ...frames import fit_frame
from .picture_metadata import TIFFS, without_metadata

MAX_BYTES = 2**31
MAX_PIXELS = 178_956_970  # twice the number from which PIL warns; it raises above
PROGRAMS = ("EPS", "WMF")  # are no pictures but programs, which other software would run


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

    Of several pictures in a file it is the first. Transparency is dropped, as the reference does.
    Numbers beyond 8 bits are scaled, where PIL's own conversion would clip them to white. What a
    file says besides its pixels is not read, its orientation apart, so that damage there stops
    nothing.

    Raises:
        UserError: the file is missing, damaged, too large or no picture.
    """
    content = _content(path)
    try:
        quiet = _without_stderr() if content.startswith(TIFFS) else contextlib.nullcontext()
        with warnings.catch_warnings(), quiet:
            warnings.simplefilter("ignore")  # PIL's, of what is no damage to the pixels
            return _pixels(content)
    except Image.DecompressionBombError as error:
        how_many = str(error).partition(",")[0]
        raise UserError(f"{path} has too many pixels: {how_many}. Make it smaller.") from error
    except Exception as error:  # PIL's readers raise nearly every kind on damage
        raise UserError(
            f"{path} ({len(content)} bytes) can't be read as a picture: it is empty, cut off, "
            "damaged, too large or of an unknown kind. Save it as PNG or JPEG again."
        ) from error


def _content(path: Path) -> bytes:
    """What a file holds."""
    try:
        check_file(path, expected="a picture")
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path} has more than {MAX_BYTES >> 30} GiB: that is no picture.")
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"The picture {path} can't be read: {error.strerror}.") from error


@contextlib.contextmanager
def _without_stderr() -> Iterator[None]:
    """Keep a library in C from the terminal: libtiff writes a line for each damaged row."""
    try:
        terminal = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    try:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def _pixels(content: bytes) -> np.ndarray:
    """[H, W, 3] uint8; raises whatever PIL does."""
    Image.init()
    formats = [name for name in Image.ID if name not in PROGRAMS]
    with Image.open(io.BytesIO(without_metadata(content)), formats=formats) as opened:
        count = opened.width * opened.height
        if count > MAX_PIXELS:  # where other code has lifted PIL's own limit
            raise Image.DecompressionBombError(f"{count} pixels exceed the limit of {MAX_PIXELS}")
        return np.array(_to_rgb(ImageOps.exif_transpose(opened)))


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode == "LAB":
        lab, rgb = map(ImageCms.createProfile, ("LAB", "sRGB"))
        return ImageCms.profileToProfile(picture, lab, rgb, outputMode="RGB")
    if picture.mode.startswith(("I", "F")):
        picture = Image.fromarray(_to_8_bits(picture))
    return picture.convert("RGB")


def _to_8_bits(picture: Image.Image) -> np.ndarray:
    """Grey pictures of 16 bits, 32 bits or floating point, brought to 0..255."""
    values = np.asarray(picture, np.float64)
    if picture.mode == "F":
        is_bright = values[np.isfinite(values)].max(initial=0) > 1
        values = np.nan_to_num(values).clip(-1e9, 1e9)  # infinity becomes white
        scale = 1.0 if is_bright else 255.0
    else:  # PIL opens 16-bit files as 16 or as 32 bits, depending on its version
        scale = 1.0 if picture.mode == "I" and values.max() <= 255 else 255 / 65535
    return (values * scale).round().clip(0, 255).astype(np.uint8)
