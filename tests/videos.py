"""Makes videos for tests, and reads their contents."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from fcvg_core.standalone.media.video import read_video

# Saturated and unsaturated colours that a player must show with an error of at most 3 levels.
COLORS = (
    (220, 30, 30),
    (30, 220, 30),
    (30, 30, 220),
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (255, 255, 0),
    (0, 255, 255),
    (255, 0, 255),
    (200, 100, 50),
    (255, 255, 255),
    (0, 0, 0),
)


def noise(count: int, height: int = 33, width: int = 51) -> np.ndarray:
    return np.random.RandomState(0).randint(0, 256, (count, height, width, 3)).astype(np.uint8)


def still(count: int, height: int = 64, width: int = 96) -> list[np.ndarray]:
    """Frames that a lossy format keeps: each frame has one colour."""
    colors = np.random.RandomState(1).randint(40, 216, (count, 3)).astype(np.uint8)
    return [np.broadcast_to(color, (height, width, 3)) for color in colors]


def moving(count: int, height: int, width: int) -> list[np.ndarray]:
    """Frames that can be encoded; all frames are different."""
    rough = Image.fromarray(noise(1, height // 8, width // 8)[0])
    picture = np.asarray(rough.resize((width, height), Image.Resampling.BICUBIC))
    return [np.ascontiguousarray(np.roll(picture, 3 * i, 1)) for i in range(count)]


def write_exactly(path: Path, frames, rate=10, times: list[int] | None = None) -> Path:
    """Write a lossless video of any size; `times` are in milliseconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=rate)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "rgb24"
        if times:
            stream.codec_context.time_base = Fraction(1, 1000)
        for i, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            if times:
                picture.pts, picture.time_base = times[i], Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def write_sound(path: Path, *, cover: bool) -> Path:
    with av.open(str(path), "w", format="mp4") as container:
        sound = container.add_stream("aac", rate=8000)
        sound.layout = "mono"
        if cover:
            stream = container.add_stream("png", rate=1)
            stream.height = stream.width = 32
            stream.pix_fmt = "rgb24"
            stream.disposition = av.stream.Disposition.attached_pic
            picture = av.VideoFrame.from_ndarray(noise(1, 32, 32)[0], format="rgb24")
            container.mux([*stream.encode(picture), *stream.encode()])
        silence = np.zeros((1, 1024), np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux([*sound.encode(frame), *sound.encode()])
    return path


def read(path: Path) -> np.ndarray:
    return np.stack(list(read_video(path, stride=1, max_frames=None)[0]))


def boxes(path: Path) -> set[str]:
    """Names of the top-level boxes of an MP4 file."""
    content, names, at = path.read_bytes(), set(), 0
    while at < len(content):
        names.add(content[at + 4 : at + 8].decode())
        at += int.from_bytes(content[at : at + 4], "big")
    return names
