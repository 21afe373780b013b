"""Files that are cut off, and files that only look so."""

import functools
import logging
import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from videos import moving, read

from fcvg_core.errors import UserError
from fcvg_core.standalone.media.video import read_video

RATE = 25
# Ending of the name -> codecs of picture and sound, pixel format, options of the container.
KINDS = {
    "mp4": ("libx264", "aac", "yuv420p", {"movflags": "faststart"}),
    "mov": ("mpeg4", None, "yuv420p", {"movflags": "faststart"}),
    "fragmented.mp4": ("libx264", None, "yuv420p", {"movflags": "frag_keyframe+empty_moov"}),
    "mkv": ("libx264", "aac", "yuv420p", {}),
    "still.mkv": ("ffv1", None, "yuv420p", {}),
    "webm": ("libvpx", "libopus", "yuv420p", {}),
    "avi": ("mpeg4", None, "yuv420p", {}),
    "mjpeg.avi": ("mjpeg", "pcm_s16le", "yuvj420p", {}),
    "flv": ("libx264", "aac", "yuv420p", {}),
    "mxf": ("mpeg2video", None, "yuv420p", {}),
    "ivf": ("libvpx", None, "yuv420p", {}),
}
# Nothing that FFmpeg tells of these says how long they are.
SILENT = {
    "ts": ("libx264", "aac", "yuv420p", {}),
    "wmv": ("wmv2", None, "yuv420p", {}),
    "apng": ("apng", None, "rgb24", {}),
    "gif": ("gif", None, "rgb8", {}),
    "mpg": ("mpeg2video", "mp2", "yuv420p", {}),
    "stream.webm": ("libvpx", "libopus", "yuv420p", {"live": "1"}),
    "stream.mkv": ("libx264", "aac", "yuv420p", {}),
    "stream.flv": ("libx264", "aac", "yuv420p", {}),
}


FORMATS = {".mkv": "matroska", ".webm": "webm", ".flv": "flv"}


class Pipe:
    """A file that is written in one go: nothing at its head can say how long it became."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.write_bytes(b"")

    def write(self, content: bytes) -> int:
        with self.path.open("ab") as file:
            return file.write(content)


def write(path: Path, kind: str, *, frames: int = 60, seconds: float | None = None) -> Path:
    """A video with sound of `seconds`, as long as the picture by default."""
    codec, sound, pix_fmt, options = {**KINDS, **SILENT}[kind]
    file = Pipe(path) if kind.startswith("stream") else str(path)
    with av.open(file, "w", format=FORMATS.get(path.suffix), options=options) as container:
        stream = container.add_stream(codec, rate=RATE)
        stream.height, stream.width, stream.pix_fmt = 96, 128, pix_fmt
        audio = sound and container.add_stream(sound, rate=48000, layout="mono")
        samples, total = 0, 48000 * (seconds or frames / RATE)
        for i, frame in enumerate(moving(frames, 96, 128)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            while audio and samples < (total if i + 1 == frames else min(total, 1920 * (i + 1))):
                container.mux(audio.encode(noise_of(audio, samples)))
                samples += 960
        for each in filter(None, (stream, audio)):
            container.mux(each.encode())
    return path


def noise_of(audio, start: int) -> av.AudioFrame:
    values = np.random.RandomState(start).randint(-9999, 9999, (1, 960)).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(values, format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
    return frame


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A function: a video of each kind, written once."""
    folder = tmp_path_factory.mktemp("whole")
    return functools.cache(lambda kind: write(folder / f"a.{kind}", kind))


def cut(path: Path, part: float, folder: Path) -> Path:
    content = path.read_bytes()
    (folder / path.name).write_bytes(content[: int(len(content) * part)])
    return folder / path.name


@pytest.mark.parametrize("part", [1 / 2, 2 / 3])
@pytest.mark.parametrize("kind", KINDS)
def test_cut_off(tmp_path, whole, kind, part) -> None:
    """It is said, and what is there can be read."""
    path = cut(whole(kind), part, tmp_path)
    with pytest.raises(UserError, match=rf"{path.name} is damaged after \d+ frames") as error:
        read(path)
    good = int(re.search(r"read at most (\d+) frames? \(max_frames=\1\)\.$", str(error.value))[1])
    assert good >= 2
    assert len(list(read_video(path, stride=1, max_frames=good)[0])) == good


@pytest.mark.parametrize("kind", SILENT)
def test_may_be_cut_off(tmp_path, whole, kind, caplog) -> None:
    path = cut(whole(kind), 0.667, tmp_path)
    if kind == "apng":  # at the end of a frame; within one it is damage
        content = path.read_bytes()
        path.write_bytes(content[: content.rindex(b"fcTL") - 4])
    assert 20 <= len(read(path)) < 60
    assert f"{path} may be incomplete" in caplog.text


@pytest.mark.parametrize("kind", {**KINDS, **SILENT})
def test_whole(whole, kind, caplog) -> None:
    caplog.set_level(logging.INFO)
    assert len(read(whole(kind))) == 60
    assert not caplog.records


@pytest.mark.parametrize("seconds", [0.5, 9])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind][1]])
def test_sound_of_another_length(tmp_path, kind, seconds, caplog) -> None:
    assert len(read(write(tmp_path / f"a.{kind}", kind, seconds=seconds))) == 60
    assert not caplog.records


@pytest.mark.parametrize("ending", ["mkv", "mp4", "flv"])
def test_a_part_of_a_film(tmp_path, ending) -> None:
    """Its times begin at 100 seconds; whole it is read, and cut off it is told."""
    path = tmp_path / f"a.{ending}"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.height, stream.width, stream.pix_fmt = 96, 128, "yuv420p"
        for i, frame in enumerate(moving(250, 96, 128)):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts, picture.time_base = 100 * RATE + i, Fraction(1, RATE)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    assert len(read(path)) == 250
    (tmp_path / "cut").mkdir()
    with pytest.raises(UserError, match="is damaged after"):
        read(cut(path, 0.6, tmp_path / "cut"))


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize(
    ("ending", "codec"),
    [("mkv", "libx264"), ("mp4", "libx264"), ("flv", "libx264"), ("gif", "gif")],
)
def test_a_few_frames(tmp_path, ending, codec, count, caplog) -> None:
    """Fewer than the encoder reorders: Matroska has no decoding times of them."""
    path = tmp_path / f"a.{ending}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE)
        stream.height, stream.width = 96, 128
        stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        for frame in moving(count, 96, 128):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    assert len(read(path)) == count and not caplog.records


@pytest.mark.parametrize("ending", ["mkv", "mov", "mp4"])
def test_a_rate_that_varies(tmp_path, ending) -> None:
    """A last frame that is shown for long is no missing part."""
    path = tmp_path / f"a.{ending}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=RATE)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for time, frame in zip((0, 40, 80, 2000, 2040, 6000), moving(6, 48, 64), strict=True):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts, picture.time_base = time, Fraction(1, 1000)
            for packet in stream.encode(picture):
                packet.duration = 3000 if time == 6000 else 40
                container.mux(packet)
        container.mux(stream.encode())
    assert len(read(path)) == 6


def test_a_film_that_was_shortened(tmp_path) -> None:
    """As telephones do it: all frames are in the file, and a list says which are shown."""
    path = write(tmp_path / "a.mov", "mov")
    content = path.read_bytes()
    at = content.index(b"elst") + 12  # movie's time of the first entry
    shorter = (1000).to_bytes(4, "big")
    path.write_bytes(content[:at] + shorter + content[at + 4 :])
    assert 24 <= len(read(path)) <= 27
