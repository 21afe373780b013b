"""A video file -> its frames, one by one."""

from collections.abc import Callable, Generator
from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np

from ....bounds import FILE_FPS
from ....canvas import in_words
from ....errors import UserError
from ....files.video_file import open_video
from ....video import Sound, frame_rate, read_sound, show, square_size, start_of
from .decoding import decode_all
from .folder import check_max_frames, count_frames
from .soundtrack import RATE

FEW_FPS = 24  # the stride is multiplied by the frame rate / FEW_FPS, rounded down


def read_video(
    path: Path,
    *,
    stride: int,
    max_frames: int | None,
    thin_out: bool = True,
    limit: Callable[[int], str] = "max_frames={}".format,
) -> tuple[Generator[np.ndarray, None, None], float]:
    """Every n-th frame of a video, looking as in a player.

    Colours are converted with the matrix and range in the file. If the file does not contain
    them, they are BT.709 from 720 rows on and BT.601 below, in the limited range. If pixels are
    not square, one side of the frame is stretched until they are; the other side is kept. The
    rotation in the file is applied. All frames have the size of the first frame.

    Args:
        path: the video file.
        stride: 1 reads every frame, 2 every second frame.
        max_frames: maximum number of frames; None reads to the end.
        thin_out: double the stride for a video of 48 frames per second, triple the stride for 72
            frames per second, and so on.
        limit: gives the text of the setting that reads a number of frames, for messages.

    Returns:
        A generator of frames [H, W, 3] uint8, and their frame rate per second, 0.001..1000. The
        file is closed after the last frame, or when the generator is closed.

    Raises:
        UserError: the file is missing, damaged, incomplete or not a video, or a number is below
            1. The generator raises it if the damage is found only when a frame is read.

    Source: ControlNeXt-SVD-v2 dwpose/preprocess.py get_video_pose, run_controlnext.py. The rule
        for fast videos is in a comment there; MimicMotion, the origin of the code, follows it.
    Differs: reading stops at `max_frames`. The frame rate is not rounded down; a variable frame
        rate is averaged.
    """
    if stride < 1:
        raise UserError(f"expected a stride of 1 frame or more, got {stride}")
    check_max_frames(max_frames)
    with open_video(path) as (_, stream):
        fps = frame_rate(stream)
    if thin_out:
        stride *= max(1, int(fps / FEW_FPS))
    frames = _pictures(max_frames, _decode(path, stride, limit))
    return frames, max(fps / stride, FILE_FPS.minimum)


def read_every_frame(path: Path) -> Generator[np.ndarray, None, None]:
    """Every frame of a video, looking as in a player, whatever the frame rate is.

    Args:
        path: the video file.

    Returns:
        A generator of frames [H, W, 3] uint8, as those of `read_video`.

    Raises:
        UserError: while a frame is read, as in `read_video`.
    """
    return _pictures(None, _decode(path, 1, limit=None))


def read_timed(
    path: Path, *, start: int = 0, stride: int = 1
) -> Generator[tuple[float | None, np.ndarray], None, None]:
    """Every n-th frame of a video from a frame on, and the second at which each is shown.

    Args:
        path: the video file.
        start: number of the first frame, from 0.
        stride: 1 reads every frame, 2 every second frame, whatever the frame rate is.

    Returns:
        A generator of seconds (None if the file does not contain them) and frames [H, W, 3]
        uint8, looking as in `read_video`.

    Raises:
        UserError: while a frame is read, as in `read_video`; or the size of the frames changes.
    """
    size = None
    with closing(_decode(path, stride, None, start)) as frames:
        for frame, picture in frames:
            stored = (frame.height, frame.width)
            size = size or stored
            if stored != size:
                raise UserError(
                    f"The frames of {path} change from {in_words(size)} to {in_words(stored)} "
                    "pixels. Cut the video there, or save it again at one size."
                )
            yield frame.time, picture


def count_video_frames(path: Path) -> int:
    """How many frames a video file holds, without decoding them.

    Raises:
        UserError: the file is missing, damaged or not a video.
    """
    import av

    try:
        with open_video(path) as (container, stream):
            return sum(1 for packet in container.demux(stream) if packet.size)
    except (av.FFmpegError, OSError) as error:
        raise UserError(f"{path} is damaged ({error}). Save it again.") from error


def read_audio(path: Path, seconds: float) -> Sound | None:
    """The first seconds of a video's sound, from its first frame on, as `VideoWriter` takes sound.

    Args:
        path: the video file.
        seconds: length of the sound, which is less if the sound ends before.

    Returns:
        None if the video has no sound.

    Raises:
        UserError: as in `read_video`.
    """
    with open_video(path) as (container, stream):
        return read_sound(container, start=start_of(stream), seconds=seconds, rate=RATE)


def _pictures(
    max_frames: int | None, frames: Generator[tuple, None, None]
) -> Generator[np.ndarray, None, None]:
    with closing(frames):
        for _, picture in islice(frames, max_frames):
            yield picture


def _decode(
    path: Path, stride: int, limit: Callable[[int], str] | None, start: int = 0
) -> Generator[tuple, None, None]:
    """Every `stride`-th frame, as FFmpeg's object and as pixels.

    FFmpeg's threads are not used: they would hide damaged frames.
    """
    import av

    number, size = -1, None
    try:
        with open_video(path) as (container, stream):
            for number, frame in enumerate(decode_all(path, container, stream)):
                if number >= start and (number - start) % stride == 0:
                    size = size or square_size(frame, stream.sample_aspect_ratio)
                    yield frame, show(frame, size)
    except (av.FFmpegError, EOFError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        good = number // stride + 1
        fewer = f", or read at most {count_frames(good)} ({limit(good)})" if good and limit else ""
        raise UserError(
            f"{path} is damaged after {count_frames(number + 1)} ({reason}). Save it again{fewer}."
        ) from error
    if number < 0:
        raise UserError(f"{path} holds a video without any frame. Save it again.")
