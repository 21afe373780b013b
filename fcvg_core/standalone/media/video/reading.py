"""A video file -> its frames, one by one."""

from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ....bounds import FILE_FPS
from ....errors import UserError
from ....files.plain_file import check_file
from .decoding import decode_all
from .folder import check_max_frames, in_words
from .shown import show, square_size

# FFmpeg's names of what is read. A playlist names other files, and a text would become pictures.
FORMATS = (
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,gif,apng,mxf,yuv4mpegpipe,mjpeg,h264,hevc,"
    "m4v,dv,ivf,nut"
)
KINDS = "MP4, MOV, MKV, WebM, AVI, MPEG, FLV, WMV, OGG, MXF or GIF"
UNKNOWN_FPS = 24.0  # of a file that does not say how fast it is
MAX_PIXELS = 8192 * 8192  # of a frame; decoders take memory for what a file says
FEW_FPS = 24  # of a multiple of it, the multiple is passed over


def read_video(
    path: Path,
    *,
    stride: int,
    max_frames: int | None,
    limit: Callable[[int], str] = "max_frames={}".format,
) -> tuple[Generator[np.ndarray, None, None], float]:
    """Frames of a video at even steps, as a player shows them.

    Their colours are of the matrix and range that the file notes. Without a note, they are of
    BT.709 from 720 rows on and of BT.601 below, in the limited range. Where pixels are not square,
    the frame is stretched along one side until they are; the other side is kept. Frames are turned
    as the camera noted. All have the size of the first.

    Args:
        stride: 1 takes every frame, 2 every other one. Twice as many are passed over in a video
            of 48 frames a second, three times as many in one of 72, and so on.
        max_frames: at most as many are read; None reads to the end.
        limit: how a message names the setting that reads so many frames and no more.

    Returns:
        A generator of frames [H, W, 3] uint8, and how many of them make a second, 0.001..1000.
        The file is open while frames are read: it is closed after the last frame, or when the
        generator is.

    Raises:
        UserError: the file is missing, damaged, cut off or no video (when a frame is asked for,
            where it shows only then), or a number is below 1.

    Source: ControlNeXt-SVD-v2 dwpose/preprocess.py get_video_pose, run_controlnext.py; the rule
    for fast videos is there in a comment (MimicMotion, where it is from, follows it).
    Differs: stops at `max_frames` instead of reading all first; frames a second are not rounded
    down; with a frame rate that varies, they are the average.
    """
    if stride < 1:
        raise UserError(f"expected a stride of 1 frame or more, got {stride}")
    check_max_frames(max_frames)
    with _open_video(path) as (_, stream):
        fps = float(stream.average_rate or stream.guessed_rate or UNKNOWN_FPS)
    if fps not in FILE_FPS:
        fps = UNKNOWN_FPS
    stride *= max(1, int(fps / FEW_FPS))
    frames = _at_most(max_frames, _decode(path, stride, limit))
    return frames, max(fps / stride, FILE_FPS.minimum)


@contextmanager
def _open_video(path: Path):
    """The container of a video file and its video stream, both open."""
    import av

    _check_file(path)
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "none"}
    with path.open("rb") as file:
        try:
            source = _Source(path, file)
            container = av.open(source, container_options=options, metadata_errors="replace")
        except (av.FFmpegError, OSError) as error:
            raise UserError(
                f"{path} ({path.stat().st_size} bytes) can't be read as a video: it is empty, cut "
                f"off or of another kind than {KINDS}. Save it as MP4 again."
            ) from error
        with container:
            yield container, _find_stream(path, container)


class _Source:
    """An open file as FFmpeg reads it: by itself it can't open names that are not UTF-8."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.name = path.name.encode("utf-8", "replace").decode()  # its ending is a hint
        self.read, self.tell, self._seek = file.read, file.tell, file.seek

    def seek(self, place: int, whence: int) -> int:
        """A place before the beginning, which damage may name, is for FFmpeg to answer."""
        try:
            return self._seek(place, whence)
        except OSError:
            return -1


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise UserError(
            f"{path} is a folder, expected a video file. Pictures in a folder are read as an "
            "image folder."
        )
    check_file(path, expected="a video")


def _find_stream(path: Path, container):
    """The first stream of moving pictures."""
    import av

    cover = av.stream.Disposition.attached_pic  # of a piece of music
    for stream in container.streams.video:
        if stream.disposition & cover:
            continue
        if stream.codec_context is None:
            raise UserError(f"{path} holds a video of an unknown codec. Save it as H.264 again.")
        if stream.width * stream.height > MAX_PIXELS:
            size = in_words((stream.height, stream.width))
            raise UserError(f"{path} has {size}, more than any video. Give a smaller one.")
        return stream
    kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
    raise UserError(f"{path} holds no video, only {kinds}. Give a file with moving pictures.")


def _at_most(
    max_frames: int | None, frames: Generator[np.ndarray, None, None]
) -> Generator[np.ndarray, None, None]:
    with closing(frames):
        yield from islice(frames, max_frames)


def _decode(
    path: Path, stride: int, limit: Callable[[int], str]
) -> Generator[np.ndarray, None, None]:
    """Every `stride`-th frame. Threads by frame would swallow damage."""
    import av

    number, size = -1, None
    try:
        with _open_video(path) as (container, stream):
            for number, frame in enumerate(decode_all(path, container, stream)):
                if number % stride == 0:
                    size = size or square_size(frame, stream.sample_aspect_ratio)
                    yield show(frame, size)
    except (av.FFmpegError, EOFError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        good = number // stride + 1
        fewer = f", or read at most {_frames(good)} ({limit(good)})" if good else ""
        raise UserError(
            f"{path} is damaged after {_frames(number + 1)} ({reason}). Save it again{fewer}."
        ) from error
    if number < 0:
        raise UserError(f"{path} holds a video without a single frame. Save it again.")


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"
