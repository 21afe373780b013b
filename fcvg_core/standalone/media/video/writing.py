"""Frames, one by one -> a video that players everywhere show."""

import logging
from contextlib import nullcontext
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np

from ....bounds import FILE_FPS
from ....errors import UserError
from ....frames import check_frame
from .folder import in_words

# The largest numerator of a frame rate that MPEG-4 can note, and the denominator of 23.976.
MAX_NUMERATOR, MAX_DENOMINATOR = 65535, 1001
# Constant quality; 18 is said to look like the original. No B-frames: where frames are stored in
# another order than shown, a fragmented file begins late, and players lose the last frame. With
# x264's mbtree, the same frames become other bytes from run to run.
H264 = {"crf": "16", "bf": "0", "mbtree": "0"}
THREADS = 4  # on any machine: the bytes depend on it
MPEG4_BITS = 12_000_000  # per second
MAX_GOP = 600  # frames; MPEG-4's
# FFmpeg 7.1, the first that turns a fragmented file into a plain one when it is closed.
HYBRID_SINCE = (61, 7)
# FFmpeg's numbers: BT.709 as matrix, primaries and transfer; Y in 16..235; R, G, B in 0..255.
BT709, LIMITED, FULL = 1, 1, 2


class VideoWriter:
    """An MP4 that players everywhere show, written frame by frame; use it in a `with` block.

    H.264 where the FFmpeg at hand has an encoder for it, else MPEG-4, in the colours of BT.709.
    When the block is left, also by Ctrl+C or an error, the file holds every frame written. Should
    the program be killed or the disk be full, it can still be played, but for about the last two
    seconds. A row or column is repeated where a size is odd, as the formats need even ones.
    """

    def __init__(self, path: Path, fps: float) -> None:
        """Make ready to write; the file is made with the first frame.

        Args:
            path: of a new file; its folder is made at need.
            fps: frames a second, 0.001..1000.

        Raises:
            FileExistsError: there is such a file.
            UserError: another frame rate.
        """
        self.path, self.num_frames = Path(path), 0
        if fps not in FILE_FPS:
            raise UserError(
                f"expected more than 0 frames a second, got {fps}; {self.path} can have {FILE_FPS}"
            )
        denominator = min(MAX_DENOMINATOR, int(MAX_NUMERATOR / fps))
        self._rate = Fraction(float(fps)).limit_denominator(denominator)
        if self.path.exists():
            raise FileExistsError(f"{self.path} exists already. Give another name or move it.")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._size = self._file = self._container = self._stream = None

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(self, kind: type | None, *_) -> None:
        try:
            self.close()
        except OSError as error:
            if kind is None:
                raise
            if not issubclass(kind, OSError):  # else it says the same
                logging.warning("%s", error)
        if kind is None and self.num_frames == 0:
            raise UserError(f"There was no frame to write to {self.path}.")

    def write(self, frame: np.ndarray) -> None:
        """Add a frame [H, W, 3] uint8.

        Raises:
            OSError: the disk is full, or another reason why the file can't be written.
            UserError: the frame is of another size than the first.
        """
        check_frame(frame)
        if self._size is None:
            self._open(frame.shape[:2])
        if frame.shape[:2] != self._size:
            raise UserError(
                f"{self.path}: expected a frame of {in_words(self._size)} as the first, got "
                f"{in_words(frame.shape[:2])}"
            )
        if self._container is None:
            raise UserError(f"{self.path} is closed: nothing can be added to it.")
        picture = _to_bt709(frame)
        picture.pts, picture.time_base = self.num_frames, 1 / self._rate
        self._encode(self._container, picture)
        self.num_frames += 1
        self._file.store()

    def close(self) -> None:
        """Finish the file. Closing twice, or before the first frame, does nothing.

        Raises:
            OSError: the file can't be finished. What was stored before can be played.
        """
        container, self._container = self._container, None
        if container is None:
            return
        try:
            if self.num_frames:
                self._encode(container, None)
            container.close()
        finally:
            self._file.store(last=True)
        if self.num_frames == 0:  # the encoder refused the first
            self.path.unlink()

    def _open(self, size: tuple[int, int]) -> None:
        import av

        hybrid = av.library_versions["libavformat"] >= HYBRID_SINCE
        options = {
            "movflags": "frag_keyframe+" + ("hybrid_fragmented" if hybrid else "empty_moov"),
            "movie_timescale": str(self._rate.numerator),  # else the duration is rounded
        }
        self._file = _NewFile(self.path)
        self._container = av.open(self._file, "w", format="mp4", options=options)
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        self._stream = stream = self._container.add_stream(codec, rate=self._rate)
        stream.height, stream.width = (length + length % 2 for length in size)
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        # A second, and so is a fragment.
        context.gop_size = min(max(round(self._rate), 1), MAX_GOP)
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range, context.thread_count = LIMITED, THREADS
        if codec == "libx264":
            stream.options = H264
        else:
            context.bit_rate = context.bit_rate_tolerance = MPEG4_BITS
        try:
            context.open()
        except av.FFmpegError as error:
            raise UserError(f"{self.path}: {codec} takes no video of {in_words(size)}.") from error
        self._size = size

    def _encode(self, container, picture) -> None:
        """Encode a picture; with None, what the encoder still holds.

        In one go within FFmpeg: Ctrl+C between two steps in Python would lose a frame.
        """
        container.mux(chain.from_iterable(map(self._stream.encode, [picture])))


class _NewFile:
    """A file that was not there. What FFmpeg writes to it waits in memory until it is stored.

    FFmpeg can't hand on an error that comes while it writes, and loses a Ctrl+C.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb", buffering=0)  # a program that is killed has stored all
        self._path, self._length = path, 0
        self._pieces: list[bytes | int] = []  # an integer is the place of what follows
        self.write = self._pieces.append
        self.tell = self._file.tell  # never called; but without it PyAV takes it that no seek works

    def seek(self, place: int, whence: int) -> int:
        """FFmpeg counts from the beginning."""
        self._pieces.append(place)
        return place

    def store(self, *, last: bool = False) -> None:
        """Put what was written into the file. After Ctrl+C or an error it may be tried again.

        The head of the file is changed at the end: up to then, its fragments can be played.

        Args:
            last: close the file, whatever happens.

        Raises:
            OSError: for example, the disk is full.
        """
        place, writes = self._length, []
        for piece in self._pieces:
            if isinstance(piece, int):
                place = piece
            else:
                writes.append((place, memoryview(piece)))
                place += len(piece)
        try:
            with self._file if last else nullcontext():
                for start, piece in sorted(writes, key=lambda write: write[0] < self._length):
                    self._file.seek(start)
                    while piece:  # a disk that fills up takes a part
                        piece = piece[self._file.write(piece) :]
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from error
        length = max([self._length, *(start + len(piece) for start, piece in writes)])
        self._length, self._pieces[:] = length, []  # at once: no Ctrl+C comes between


def _to_bt709(frame: np.ndarray):
    """A frame as FFmpeg encodes it: of even size, Y'CbCr of BT.709."""
    import av

    odd = [(0, length % 2) for length in frame.shape[:2]]
    frame = np.ascontiguousarray(np.pad(frame, (*odd, (0, 0)), mode="edge"))
    return av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(
        format="yuv420p",
        src_color_range=FULL,
        dst_colorspace=BT709,
        dst_color_range=LIMITED,
    )
