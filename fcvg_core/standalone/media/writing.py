"""Writes frames as pictures or as a video, and estimates their size on the disk."""

import io
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from ...errors import UserError
from ...files.writing import explained, write_aside
from ...signals import uninterrupted

BLOCK = 4096  # bytes; a file takes a whole number of blocks on its disk
QUALITY = 92  # of a JPEG
SAMPLED = 64  # pixels of a side
SHORTEST, LONGEST = 10, 655_350  # milliseconds that a frame of a GIF may last
VIDEO_BYTES = 0.25  # bytes per pixel: several times what H.264 needs for camera footage


def write_picture(path: Path, frame: np.ndarray) -> None:
    """Write a frame [H, W, 3] uint8: as JPEG if the name ends in .jpg, otherwise as PNG."""
    content = io.BytesIO()  # written to the disk afterwards: Pillow hides the error of a full disk
    if path.suffix == ".jpg":
        Image.fromarray(frame).save(content, "JPEG", quality=QUALITY)
    else:
        Image.fromarray(frame).save(content, "PNG")
    with write_aside(path) as part:
        part.write_bytes(content.getbuffer())


def write_frames(
    folder: Path,
    frames: np.ndarray,
    *,
    name: str | None = None,
    before: Callable[[int], None] = lambda number: None,
) -> None:
    """Write frames [T, H, W, 3] uint8 as 00.png, 01.png, ...

    Args:
        folder: it is made if necessary.
        frames: [T, H, W, 3] uint8.
        name: of another form, with {} where the number of a frame stands.
        before: called with the number of each frame, before the frame is written.

    Raises:
        UserError: a frame can't be written; earlier frames stay in the folder.
    """
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    name = name or f"{{:0{max(len(str(len(frames) - 1)), 2)}d}}.png"
    for i, frame in enumerate(frames):
        before(i)
        try:
            write_picture(folder / name.format(i), frame)
        except UserError as error:
            there = f" {i} of {len(frames)} frames are in {folder}." if i else ""
            raise UserError(f"{error}{there}") from error


def write_video(path: Path, frames: Iterable[np.ndarray], fps: float) -> None:
    """Write frames (an array [T, H, W, 3] uint8, or an iterable) as MP4; see `VideoWriter`.

    Raises:
        UserError: the video can't be written to its end.
    """
    from .video import VideoWriter

    with explained(path), VideoWriter(path, fps) as video:
        for frame in frames:
            with uninterrupted():
                video.write(frame)


def write_gif(path: Path, frames: np.ndarray, fps: float) -> None:
    """Write frames [T, H, W, 3] uint8 as GIF, which is shown again and again.

    A frame has 256 colours at most, and is shown for whole hundredths of a second.

    Raises:
        UserError: the file can't be written.
    """
    first, *others = map(_in_256_colors, frames)
    duration = min(max(1000 / fps, SHORTEST), LONGEST)
    content = io.BytesIO()
    first.save(content, "GIF", save_all=True, append_images=others, duration=duration, loop=0)
    with write_aside(path) as part:
        part.write_bytes(content.getbuffer())


def _in_256_colors(frame: np.ndarray) -> Image.Image:
    """A frame with a palette, made of some of its pixels: all take 15 times as long."""
    whole = Image.fromarray(frame)
    few = whole.resize([min(side, SAMPLED) for side in whole.size], Image.Resampling.NEAREST)
    return whole.quantize(palette=few.quantize(256))


def frames_size(shape: tuple[int, ...]) -> float:
    """Largest size in bytes of frames [T, H, W, 3] as PNG; noise can't be compressed."""
    count, height, width, channels = shape
    return count * (height * (width * channels + 1) * 1.005 + 2 * BLOCK)


def video_size(shape: tuple[int, ...]) -> float:
    """Generous estimate of the size in bytes of a video with frames [T, H, W, 3]."""
    count, height, width, _ = shape
    return count * height * width * VIDEO_BYTES + BLOCK
