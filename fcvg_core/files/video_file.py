"""Opens a video file for FFmpeg, which reads nothing but this file."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ..canvas import in_words
from ..errors import UserError
from .plain_file import check_file

# FFmpeg's names of the formats that may be read. Others are not safe: a playlist names other files,
# and a text file would become pictures.
FORMATS = (
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,gif,apng,mxf,yuv4mpegpipe,mjpeg,h264,hevc,"
    "m4v,dv,ivf,nut"
)
KINDS = "MP4, MOV, MKV, WebM, AVI, MPEG, FLV, WMV, OGG, MXF or GIF"
MAX_PIXELS = 8192 * 8192  # per frame; decoders allocate memory for the size in the file


@contextmanager
def open_video(source: Path | io.BytesIO) -> Iterator[tuple]:
    """FFmpeg's open container of a video, and its video stream.

    Args:
        source: the path of the file, or its content.

    Raises:
        UserError: the file is missing, damaged or not a video.
    """
    if isinstance(source, io.BytesIO):
        with _container(source, Path("video"), len(source.getbuffer())) as opened:
            yield opened
        return
    _check_file(source)
    with source.open("rb") as file, _container(file, source, source.stat().st_size) as opened:
        yield opened


@contextmanager
def _container(file: BinaryIO, path: Path, size: int) -> Iterator[tuple]:
    import av

    options = {"format_whitelist": FORMATS, "protocol_whitelist": "none"}
    # PyAV before 19 refuses titles that are not UTF-8 if it is not told otherwise.
    old = int(av.__version__.split(".")[0]) < 19
    lenient = {"metadata_errors": "replace"} if old else {}
    try:
        source = _Source(path, file)
        container = av.open(source, container_options=options, **lenient)
    except (av.FFmpegError, OSError) as error:
        raise UserError(
            f"{path} ({size} bytes) can't be read as a video. It is empty, incomplete or in "
            f"another format than {KINDS}: save it again as MP4."
        ) from error
    with container:
        yield container, _find_stream(path, container)


class _Source:
    """An open file for FFmpeg, which can't open file names that are not UTF-8."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.name = path.name.encode("utf-8", "replace").decode()  # FFmpeg uses its ending
        self.read, self.tell, self._seek = file.read, file.tell, file.seek

    def seek(self, place: int, whence: int) -> int:
        """Return -1 for a negative position, which damaged files ask for; FFmpeg handles it."""
        try:
            return self._seek(place, whence)
        except (OSError, ValueError):  # of a file, of a content in memory
            return -1


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise UserError(
            f"{path} is a folder, but a video file was expected. To use a folder of pictures, give "
            "it as an image folder."
        )
    check_file(path, expected="a video")


def _find_stream(path: Path, container):
    """The first video stream that is not a cover picture."""
    import av

    cover = av.stream.Disposition.attached_pic  # picture in a music file
    for stream in container.streams.video:
        if stream.disposition & cover:
            continue
        if stream.codec_context is None:
            raise UserError(f"{path} holds a video of an unknown codec. Save it again as H.264.")
        if stream.width * stream.height > MAX_PIXELS:
            size = in_words((stream.height, stream.width))
            raise UserError(f"{path} has {size} pixels, which is too large. Use a smaller video.")
        return stream
    kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
    raise UserError(f"{path} holds no video, only {kinds}. Use a file with a video.")
