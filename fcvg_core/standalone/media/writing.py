"""Frames as pictures and as a video on the disk, and the room that they take there."""

import io
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from ...errors import UserError
from ...files.writing import explained, write_aside
from ...signals import uninterrupted

BLOCK = 4096  # bytes; every file takes whole ones of its disk
VIDEO_BYTES = 0.25  # a pixel: several times what H.264 takes for what a camera saw


def write_picture(path: Path, frame: np.ndarray) -> None:
    """Write a frame [H, W, 3] uint8 as PNG."""
    content = io.BytesIO()  # a full disk is one error among many of Pillow's
    Image.fromarray(frame).save(content, "PNG")
    with write_aside(path) as part:
        part.write_bytes(content.getbuffer())


def write_frames(
    folder: Path, frames: np.ndarray, *, before: Callable[[int], None] = lambda number: None
) -> None:
    """Write frames [T, H, W, 3] uint8 as 00.png, 01.png, ...

    Args:
        before: is told the number of each frame before it is written.

    Raises:
        UserError: they can't be written; those before are there.
    """
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    digits = max(len(str(len(frames) - 1)), 2)
    for i, frame in enumerate(frames):
        before(i)
        try:
            write_picture(folder / f"{i:0{digits}d}.png", frame)
        except UserError as error:
            there = f" {i} of {len(frames)} frames are in {folder}." if i else ""
            raise UserError(f"{error}{there}") from error


def write_video(path: Path, frames: Iterable[np.ndarray], fps: float) -> None:
    """Write frames [T, H, W, 3] uint8, or one by one, as an MP4; see `video.VideoWriter`.

    Raises:
        UserError: it can't be written to its end.
    """
    from .video import VideoWriter

    with explained(path), VideoWriter(path, fps) as video:
        for frame in frames:
            with uninterrupted():
                video.write(frame)


def frames_size(shape: tuple[int, ...]) -> float:
    """Bytes that frames [T, H, W, 3] take at most as PNG: noise can't be compressed."""
    count, height, width, channels = shape
    return count * (height * (width * channels + 1) * 1.005 + 2 * BLOCK)


def video_size(shape: tuple[int, ...]) -> float:
    """Bytes that a video of frames [T, H, W, 3] hardly ever takes."""
    count, height, width, _ = shape
    return count * height * width * VIDEO_BYTES + BLOCK
