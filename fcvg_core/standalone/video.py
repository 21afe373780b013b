"""Videos in and out, frame by frame: memory does not grow with their length."""

import math
import re
from collections.abc import Generator, Iterator
from contextlib import closing
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np

from ..errors import UserError
from ..frames import check_frame
from .keyframes import read_frame

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"}
UNKNOWN_FPS = 24.0  # of a file that does not say how fast it is
FEW_FPS = 24  # of a multiple of it, the multiple is passed over
# Of the constant quality of H.264: 18 is said to look like the original.
QUALITY = "16"
MPEG4_BITS = 12_000_000  # per second
# FFmpeg 7.1, the first that turns a fragmented file into a plain one when it is closed.
HYBRID_SINCE = (61, 7)


def read_video(
    path: Path, *, stride: int, max_frames: int | None
) -> tuple[Generator[np.ndarray, None, None], float]:
    """Frames of a video at even steps, the way up that its camera noted.

    Args:
        stride: 1 takes every frame, 2 every other one. Twice as many are passed over in a video
            of 48 frames a second, three times as many in one of 72, and so on.
        max_frames: at most as many are read; None reads to the end.

    Returns:
        A generator of frames [H, W, 3] uint8, and how many of them make a second. The file is
        closed after the last frame, or when the generator is.

    Raises:
        UserError: the file is missing, damaged or no video (when a frame is asked for, where it
            shows only then), or a number is below 1.

    Source: ControlNeXt-SVD-v2 dwpose/preprocess.py get_video_pose, run_controlnext.py; the rule
    for fast videos is there in a comment (MimicMotion, where it is from, follows it).
    Differs: stops at `max_frames` instead of reading all first; frames a second are not rounded
    down; with a frame rate that varies, they are the average.
    """
    if stride < 1:
        raise UserError(f"expected a stride of 1 frame or more, got {stride}")
    _check_max_frames(max_frames)
    container, stream = _open_video(path)
    fps = stream.average_rate or stream.guessed_rate or UNKNOWN_FPS
    stride *= max(1, int(fps / FEW_FPS))
    frames = _decode(path, container, stream, stride)
    return _at_most(max_frames, frames), float(fps) / stride


def read_image_folder(folder: Path, *, max_frames: int | None) -> Iterator[np.ndarray]:
    """Pictures of a folder as frames, frame2 before frame10; other files are left out.

    Args:
        max_frames: at most as many are read; None reads all.

    Returns:
        An iterator of frames [H, W, 3] uint8 of one size.

    Raises:
        UserError: there is no such folder, it holds no picture, one is damaged or of another size
            than the first (when it is reached), or `max_frames` is below 1.
    """
    _check_max_frames(max_frames)
    if not folder.is_dir():
        raise UserError(
            f"There is no folder {folder}. Give one that holds the frames as pictures."
        )
    paths = [
        path
        for path in sorted(folder.iterdir(), key=_natural)
        if path.suffix.lower() in PICTURES and path.name[0] != "." and path.is_file()
    ]
    if not paths:
        raise UserError(f"{folder} holds no pictures; expected {', '.join(sorted(PICTURES))}.")
    return _read_pictures(paths[:max_frames])


class VideoWriter:
    """An MP4 that players everywhere show, written frame by frame; use it in a `with` block.

    H.264 where the FFmpeg at hand has an encoder for it, else MPEG-4. When the block is left, also
    by Ctrl+C or an error, the file holds every frame written. Should the program be killed, it can
    still be played, but for about the last two seconds. A row or column is repeated where a size
    is odd, as the formats need even ones.
    """

    def __init__(self, path: Path, fps: float) -> None:
        """Make ready to write; the file is made with the first frame.

        Args:
            path: of a new file; its folder is made at need.
            fps: frames a second, above 0.

        Raises:
            FileExistsError: there is such a file.
            UserError: the frame rate is not above 0.
        """
        self.path, self.num_frames = Path(path), 0
        self._rate = Fraction(fps).limit_denominator(1001) if math.isfinite(fps) else 0
        if self._rate <= 0:
            raise UserError(f"expected more than 0 frames a second, got {fps}")
        if self.path.exists():
            raise FileExistsError(f"{self.path} exists already. Give another name or move it.")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._size = self._file = self._container = self._stream = None

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(self, kind: type | None, *_) -> None:
        self.close()
        if kind is None and self.num_frames == 0:
            raise UserError(f"There was no frame to write to {self.path}.")

    def write(self, frame: np.ndarray) -> None:
        """Add a frame [H, W, 3] uint8.

        Raises:
            UserError: it is none, or of another size than the first.
        """
        import av

        check_frame(frame)
        if self._size is None:
            self._open(frame.shape[:2])
        if frame.shape[:2] != self._size:
            sizes = _in_words(self._size), _in_words(frame.shape[:2])
            raise UserError("expected a frame of {} as the first, got {}".format(*sizes))
        if self._container is None:
            raise UserError(f"{self.path} is closed: nothing can be added to it.")
        odd = [(0, length % 2) for length in self._size]
        frame = np.ascontiguousarray(np.pad(frame, (*odd, (0, 0)), mode="edge"))
        picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
        self._container.mux(self._stream.encode(picture))
        self.num_frames += 1

    def close(self) -> None:
        """Finish the file. Closing twice, or before the first frame, does nothing."""
        container, self._container = self._container, None
        if container is None:
            return
        with self._file:
            try:
                if self.num_frames:
                    container.mux(self._stream.encode())
            finally:
                container.close()
        if self.num_frames == 0:  # the encoder refused the first
            self.path.unlink()

    def _open(self, size: tuple[int, int]) -> None:
        import av

        hybrid = av.library_versions["libavformat"] >= HYBRID_SINCE
        flags = "frag_keyframe+" + ("hybrid_fragmented" if hybrid else "empty_moov")
        # Not by its path: "xb" never overwrites, and unbuffered nothing waits for the end.
        self._file = self.path.open("xb", buffering=0)
        self._container = av.open(self._file, "w", format="mp4", options={"movflags": flags})
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        self._stream = stream = self._container.add_stream(codec, rate=self._rate)
        stream.height, stream.width = (length + length % 2 for length in size)
        stream.pix_fmt = "yuv420p"
        stream.gop_size = max(round(self._rate), 1)  # a second, and so is a fragment
        if codec == "libx264":
            stream.options = {"crf": QUALITY}
        else:
            stream.bit_rate = MPEG4_BITS
        try:
            stream.codec_context.open()
        except av.FFmpegError as error:
            raise UserError(f"{codec} takes no video of {_in_words(size)}.") from error
        self._size = size


def _open_video(path: Path):
    """The open container of a video file, and its video stream."""
    import av

    if path.is_dir():
        raise UserError(
            f"{path} is a folder, expected a video file. Pictures in a folder are read as an "
            "image folder."
        )
    if not path.is_file():
        raise UserError(f"There is no video {path}.")
    try:
        container = av.open(f"file:{path}")  # else "a:b.mp4" would be a protocol
    except (av.FFmpegError, OSError) as error:
        raise UserError(
            f"{path} ({path.stat().st_size} bytes) can't be read as a video: it is empty, cut off "
            f"or of an unknown kind ({error.strerror}). Save it as MP4 again."
        ) from error
    cover = av.stream.Disposition.attached_pic  # of a piece of music
    for stream in container.streams.video:
        if not stream.disposition & cover:
            return container, stream
    kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
    container.close()
    raise UserError(f"{path} holds no video, only {kinds}. Give a file with moving pictures.")


def _at_most(
    max_frames: int | None, frames: Generator[np.ndarray, None, None]
) -> Generator[np.ndarray, None, None]:
    with closing(frames):
        yield from islice(frames, max_frames)


def _decode(
    path: Path, container, stream, stride: int
) -> Generator[np.ndarray, None, None]:
    """Every `stride`-th frame; closes the container. Threads by frame would swallow damage."""
    import av

    number = -1
    with container:
        try:
            for number, frame in enumerate(container.decode(stream)):
                if number % stride == 0:
                    yield _upright(frame.to_ndarray(format="rgb24"), _display_matrix(frame))
        except (av.FFmpegError, OSError) as error:
            fewer = f", or read at most {number // stride + 1} frames" if number >= 0 else ""
            raise UserError(
                f"{path} is damaged after {number + 1} frames ({error.strerror}). "
                f"Save it again{fewer}."
            ) from error
    if number < 0:
        raise UserError(f"{path} holds a video without a single frame. Save it again.")


def _display_matrix(frame) -> np.ndarray | None:
    """How to turn a frame before it is shown: [3, 3], its upper left quarter [2, 2] counts."""
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            return np.frombuffer(bytes(data), np.int32).reshape(3, 3)
    return None


def _upright(frame: np.ndarray, matrix: np.ndarray | None) -> np.ndarray:
    """A frame turned and mirrored as its matrix says, by quarters: (x, y) -> (x, y) @ matrix."""
    if matrix is None:
        return frame.copy()  # it may be the decoder's own
    (xx, xy), (yx, yy) = matrix[:2, :2].tolist()
    if abs(xx) < abs(xy):
        frame, xx, yy = frame.transpose(1, 0, 2), yx, xy
    return frame[:: -1 if yy < 0 else 1, :: -1 if xx < 0 else 1].copy()


def _read_pictures(paths: list[Path]) -> Iterator[np.ndarray]:
    size = None
    for path in paths:
        frame = read_frame(path)
        size = size or frame.shape[:2]
        if frame.shape[:2] != size:
            raise UserError(
                f"{path} has {_in_words(frame.shape[:2])}, expected {_in_words(size)} as "
                f"{paths[0].name}. Give all pictures of the folder one size."
            )
        yield frame


def _natural(path: Path) -> list:
    """Sort key: digits count as numbers."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [int(part) if i % 2 else part for i, part in enumerate(parts)] + [path.name]


def _check_max_frames(max_frames: int | None) -> None:
    if max_frames is not None and max_frames < 1:
        raise UserError(f"expected at least 1 frame to read, got {max_frames}")


def _in_words(size: tuple[int, int]) -> str:
    return f"{size[1]} x {size[0]} pixels"
