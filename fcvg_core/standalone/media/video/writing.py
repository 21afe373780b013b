"""Frames, one by one -> a video file that all common players can play."""

import logging
from contextlib import nullcontext
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np

from ....bounds import FILE_FPS
from ....canvas import in_words
from ....errors import UserError
from ....frames import check_frame
from ....video import Sound
from .soundtrack import Soundtrack

# The largest numerator of a frame rate that MPEG-4 can note, and the denominator of 23.976.
MAX_NUMERATOR, MAX_DENOMINATOR = 65535, 1001
# Constant quality (crf): 18 is said to look like the original. No B-frames: with them, a fragmented
# file begins late, and players lose the last frame. No mbtree: with it, the bytes of the file
# differ from run to run.
H264 = {"crf": "16", "bf": "0", "mbtree": "0"}
THREADS = 4  # the same on all machines, because the bytes of the file depend on it
MPEG4_BITS = 12_000_000  # per second
MAX_GOP = 600  # frames; the limit of MPEG-4
# FFmpeg 7.1 is the first version that turns a fragmented file into a plain file at its end.
HYBRID_SINCE = (61, 7)
# FFmpeg's numbers: BT.709 as matrix, primaries and transfer; Y in 16..235; R, G, B in 0..255.
BT709, LIMITED, FULL = 1, 1, 2


class VideoWriter:
    """An MP4 file, written frame by frame; use it in a `with` block.

    The codec is H.264 if FFmpeg has an encoder for it, otherwise MPEG-4; the colours are BT.709.
    At the end of the block, also after Ctrl+C or an error, the file holds all written frames. If
    the program is killed or the disk is full, the file can still be played, except for about the
    last two seconds. The formats need even sizes: the last row or column of an odd size is
    repeated.
    """

    def __init__(self, path: Path, fps: float, *, sound: Sound | None = None) -> None:
        """Prepare to write; the file is created with the first frame.

        Args:
            path: path of a new file; its folder is made if necessary.
            fps: frames per second, 0.001..1000.
            sound: of `soundtrack.RATE` samples a second. It is cut where the frames end.

        Raises:
            FileExistsError: the file already exists.
            UserError: the frame rate is not possible.
        """
        self.path, self.num_frames = Path(path), 0
        if fps not in FILE_FPS:
            raise UserError(
                f"expected a frame rate from {FILE_FPS} frames per second for {self.path}, "
                f"got {fps}"
            )
        denominator = min(MAX_DENOMINATOR, int(MAX_NUMERATOR / fps))
        self._rate = Fraction(float(fps)).limit_denominator(denominator)
        if self.path.exists():
            raise FileExistsError(f"{self.path} already exists. Move it, or choose another name.")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._size = self._file = self._container = self._stream = self._track = None
        self._sound = sound

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(self, kind: type | None, *_) -> None:
        try:
            self.close()
        except OSError as error:
            if kind is None:
                raise
            if not issubclass(kind, OSError):  # an OSError would repeat the message
                logging.warning("%s", error)
        if kind is None and self.num_frames == 0:
            raise UserError(f"There is no frame to write to {self.path}.")

    def write(self, frame: np.ndarray) -> None:
        """Add a frame [H, W, 3] uint8.

        Raises:
            OSError: the file can't be written, for example because the disk is full.
            UserError: the frame has another size than the first frame.
        """
        check_frame(frame)
        if self._size is None:
            self._open(frame.shape[:2])
        if frame.shape[:2] != self._size:
            raise UserError(
                f"{self.path}: the first frame has {in_words(self._size)} pixels, but this frame "
                f"has {in_words(frame.shape[:2])} pixels. All frames of a video must have the same "
                "size."
            )
        if self._container is None:
            raise UserError(f"{self.path} is closed: no frame can be added.")
        picture = _to_bt709(frame)
        picture.pts, picture.time_base = self.num_frames, 1 / self._rate
        self._encode(self._container, picture)
        self.num_frames += 1
        if self._track:
            self._container.mux(self._track.until(self.num_frames / self._rate))
        self._file.store()

    def close(self) -> None:
        """Finish the file. Closing twice, or before the first frame, does nothing.

        Raises:
            OSError: the file can't be finished. The part that was stored before can be played.
        """
        container, self._container = self._container, None
        if container is None:
            return
        try:
            if self.num_frames:
                self._encode(container, None)
                if self._track:
                    container.mux(self._track.rest())
            container.close()
        finally:
            self._file.store(last=True)
        if self.num_frames == 0:  # the encoder refused the first frame
            self.path.unlink()

    def _open(self, size: tuple[int, int]) -> None:
        import av

        hybrid = av.library_versions["libavformat"] >= HYBRID_SINCE
        options = {
            "movflags": "frag_keyframe+" + ("hybrid_fragmented" if hybrid else "empty_moov"),
            "movie_timescale": str(self._rate.numerator),  # the default would round the duration
        }
        self._file = _NewFile(self.path)
        self._container = av.open(self._file, "w", format="mp4", options=options)
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        self._stream = stream = self._container.add_stream(codec, rate=self._rate)
        stream.height, stream.width = (length + length % 2 for length in size)
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        # About a second; a fragment has the same length.
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
            raise UserError(
                f"{self.path}: the encoder {codec} can't write a video of {in_words(size)} pixels. "
                "Choose another size."
            ) from error
        self._size = size
        if self._sound:
            self._track = Soundtrack(self._container, self._sound)

    def _encode(self, container, picture) -> None:
        """Encode a picture, or with None all pictures that the encoder still holds.

        This is one call from Python: Ctrl+C between two steps would lose a frame.
        """
        container.mux(chain.from_iterable(map(self._stream.encode, [picture])))


class _NewFile:
    """A new file for FFmpeg. The bytes from FFmpeg are kept in memory until `store` is called.

    FFmpeg can't pass on an error from its write function, and would lose a Ctrl+C there.
    """

    def __init__(self, path: Path) -> None:
        # Unbuffered, so that a killed program has lost no stored bytes.
        self._file = path.open("xb", buffering=0)
        self._path, self._length = path, 0
        self._pieces: list[bytes | int] = []  # an integer is the position of the next bytes
        self.write = self._pieces.append
        self.tell = self._file.tell  # never called; without it PyAV does not use seek

    def seek(self, place: int, whence: int) -> int:
        """Note a position from the start of the file; FFmpeg uses no other `whence`."""
        self._pieces.append(place)
        return place

    def store(self, *, last: bool = False) -> None:
        """Write the bytes in memory to the file. After Ctrl+C or an error it can be called again.

        The header of the file is changed last, so that the fragments can be played until then.

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
                    while piece:  # an almost full disk writes only a part
                        piece = piece[self._file.write(piece) :]
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from error
        length = max([self._length, *(start + len(piece) for start, piece in writes)])
        self._length, self._pieces[:] = length, []  # one statement, so that Ctrl+C can't split it


def _to_bt709(frame: np.ndarray):
    """A frame for FFmpeg's encoder: of even size, in Y'CbCr of BT.709."""
    import av

    odd = [(0, length % 2) for length in frame.shape[:2]]
    frame = np.ascontiguousarray(np.pad(frame, (*odd, (0, 0)), mode="edge"))
    return av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(
        format="yuv420p",
        src_color_range=FULL,
        dst_colorspace=BT709,
        dst_color_range=LIMITED,
    )
