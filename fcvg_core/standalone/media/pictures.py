"""Picture files of any size and format -> frames, for example the two keyframes of a video."""

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

from ...choices import ANCHORS, PICTURE_FITS
from ...errors import UserError
from ...files.plain_file import check_file
from ...frames import fit_frame
from ...placement import place_picture
from .picture_metadata import TIFFS, without_metadata

MAX_BYTES = 2**31
MAX_PIXELS = 178_956_970  # PIL raises above this number; it warns above half of it
PROGRAMS = ("EPS", "WMF")  # formats that contain programs, which other software would run


def read_keyframes(
    paths: Sequence[Path],
    size: tuple[int, int],
    fit: str = PICTURE_FITS[0],
    anchor: str = ANCHORS[0],
) -> tuple[np.ndarray, ...]:
    """Keyframes at one size; the log says what is cut off a picture of another shape.

    Args:
        paths: of the files.
        size: (height, width) in pixels.
        fit, anchor: see `place_picture`.

    Returns:
        A frame [height, width, 3] uint8 of each file.

    Raises:
        UserError: a file is missing, damaged or not a picture.
    """
    frames = [read_frame(path) for path in paths]
    return tuple(
        fit_picture(frame, size, fit, anchor, name=path)
        for frame, path in zip(frames, paths, strict=True)
    )


def fit_picture(
    frame: np.ndarray, size: tuple[int, int], fit: str, anchor: str, *, name: Path
) -> np.ndarray:
    """A picture at a size; the log says what is cut off or added.

    Args:
        frame: [H, W, 3] uint8.
        size: (height, width) in pixels.
        fit, anchor: see `place_picture`.
        name: the picture's file.
    """
    log_placement(frame.shape[:2], size, fit, anchor, name=name)
    return fit_frame(frame, size, fit, anchor)


def log_placement(
    picture: tuple[int, int], size: tuple[int, int], fit: str, anchor: str, *, name: Path
) -> None:
    """Log what is cut off a picture or added; nothing if the picture has the size of the frame.

    Args:
        picture, size: (height, width) of the picture and of the frame, in pixels.
        fit, anchor, name: see `fit_picture`.
    """
    if tuple(picture) != tuple(size):
        logging.info("%s: %s", name, place_picture(picture, size, fit, anchor))


def read_frame(path: Path) -> np.ndarray:
    """A picture as uint8 [H, W, 3]; the EXIF orientation is applied.

    If a file holds several pictures, the first is used. Transparency is dropped, as in the
    reference. Values of more than 8 bits are scaled to 8 bits; PIL's own conversion would clip
    them to white. All metadata except the orientation is ignored, so damaged metadata does no harm.

    Raises:
        UserError: the file is missing, damaged, too large or not a picture.
    """
    content = _content(path)
    try:
        quiet = _without_stderr() if content.startswith(TIFFS) else contextlib.nullcontext()
        with warnings.catch_warnings(), quiet:
            warnings.simplefilter("ignore")  # PIL warns of faults that do not touch the pixels
            return _pixels(content)
    except Image.DecompressionBombError as error:
        how_many = str(error).partition(",")[0]
        raise UserError(f"{path} has too many pixels: {how_many}. Make it smaller.") from error
    except Exception as error:  # PIL's readers raise many types for damaged files
        raise UserError(
            f"{path} ({len(content)} bytes) can't be read as a picture. It is empty, incomplete, "
            "damaged, too large or in an unknown format: save it again as PNG or JPEG."
        ) from error


def _content(path: Path) -> bytes:
    """The bytes of a picture file."""
    try:
        check_file(path, expected="a picture")
        if path.stat().st_size > MAX_BYTES:
            raise UserError(
                f"{path} has more than {MAX_BYTES >> 30} GiB, too much for a picture: choose a "
                "smaller file."
            )
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"The picture {path} can't be read: {error.strerror}.") from error


@contextlib.contextmanager
def _without_stderr() -> Iterator[None]:
    """Hide what C libraries write to stderr: libtiff writes a line for each damaged row."""
    try:
        terminal = os.dup(2)
    except OSError:  # stderr is closed
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
    """Pixels of a picture: [H, W, 3] uint8. Raises the errors of PIL."""
    Image.init()
    formats = [name for name in Image.ID if name not in PROGRAMS]
    with Image.open(io.BytesIO(without_metadata(content)), formats=formats) as opened:
        count = opened.width * opened.height
        if count > MAX_PIXELS:  # other code may have removed PIL's own limit
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
    """Grey pictures of 16 bits, 32 bits or floating point, scaled to 0..255."""
    values = np.asarray(picture, np.float64)
    if picture.mode == "F":
        is_bright = values[np.isfinite(values)].max(initial=0) > 1
        values = np.nan_to_num(values).clip(-1e9, 1e9)  # infinity becomes white
        scale = 1.0 if is_bright else 255.0
    else:  # depending on its version, PIL opens 16-bit files with 16 or with 32 bits
        scale = 1.0 if picture.mode == "I" and values.max() <= 255 else 255 / 65535
    return (values * scale).round().clip(0, 255).astype(np.uint8)
