"""A folder of pictures -> the frames of a video."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ....canvas import in_words
from ....errors import UserError
from ..pictures import read_frame

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"}


def read_image_folder(
    folder: Path, *, max_frames: int | None, start: int = 0, stride: int = 1
) -> Iterator[np.ndarray]:
    """Pictures of a folder as frames, sorted so that frame2 comes before frame10.

    Files that are not pictures are ignored.

    Args:
        folder: the folder.
        max_frames: maximum number of frames; None: all.
        start: number of the first frame, from 0.
        stride: 1 reads every picture, 2 every second picture.

    Returns:
        An iterator of frames [H, W, 3] uint8 of one size; none if `start` lies behind the last.

    Raises:
        UserError: the folder does not exist or holds no picture, or `max_frames` is below 1. The
            iterator raises it for a picture that is damaged or has another size than the first.
    """
    check_max_frames(max_frames)
    if not folder.is_dir():
        raise UserError(
            f"There is no folder {folder}. Give a folder that holds the frames as pictures."
        )
    paths = list_pictures(folder)
    if not paths:
        raise UserError(f"{folder} holds no pictures; expected {', '.join(sorted(PICTURES))}.")
    return _read_pictures(paths[start::stride][:max_frames])


def list_pictures(folder: Path) -> list[Path]:
    """The pictures of a folder, in the order in which they are frames; hidden files are none."""
    return [
        path
        for path in sorted(folder.iterdir(), key=_natural)
        if path.suffix.lower() in PICTURES and path.name[0] != "." and path.is_file()
    ]


def count_frames(number: int) -> str:
    """A number of frames in words: "1 frame", "2 frames"."""
    return "1 frame" if number == 1 else f"{number} frames"


def check_max_frames(max_frames: int | None) -> None:
    """Raise UserError unless `max_frames` is 1 or more, or None."""
    if max_frames is not None and max_frames < 1:
        raise UserError(f"expected at least 1 frame to read, got {max_frames}")


def _read_pictures(paths: list[Path]) -> Iterator[np.ndarray]:
    size = None
    for path in paths:
        frame = read_frame(path)
        size = size or frame.shape[:2]
        if frame.shape[:2] != size:
            raise UserError(
                f"{path} has {in_words(frame.shape[:2])} pixels, but {paths[0].name} has "
                f"{in_words(size)} pixels. All pictures of the folder must have the same size."
            )
        yield frame


def _natural(path: Path) -> list:
    """Sort key: digits count as numbers."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [int(part) if i % 2 else part for i, part in enumerate(parts)] + [path.name]
