"""Damaged videos of every kind: frames come out, or one sentence that names the file."""

import functools
import io
from itertools import islice

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sounds import clicks, write_sounding
from videos import moving

from fcvg_core.errors import UserError
from fcvg_core.standalone.media.video import read_audio, read_video

# Format -> codec and pixels.
KINDS = {
    "mp4": ("libx264", "yuv420p"),
    "mov": ("png", "rgb24"),
    "matroska": ("mpeg4", "yuv420p"),
    "webm": ("libvpx", "yuv420p"),
    "avi": ("mjpeg", "yuvj420p"),
    "mpegts": ("mpeg2video", "yuv420p"),
    "mpeg": ("mpeg1video", "yuv420p"),
    "flv": ("flv1", "yuv420p"),
    "asf": ("wmv2", "yuv420p"),
    "gif": ("gif", "rgb8"),
    "apng": ("apng", "rgb24"),
    "mxf": ("mpeg2video", "yuv420p"),
    "yuv4mpegpipe": ("rawvideo", "yuv420p"),
    "ivf": ("libvpx", "yuv420p"),
    "nut": ("ffv1", "yuv420p"),
    "h264": ("libx264", "yuv420p"),
}
MOST = 40  # frames; a number in a damaged file can stand for any


@functools.cache
def whole(kind: str) -> bytes:
    codec, pix_fmt = KINDS[kind]
    file = io.BytesIO()
    file.close = lambda: None
    with av.open(file, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width, stream.pix_fmt = 32, 48, pix_fmt
        for frame in moving(8, 32, 48):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()


PLACE = st.floats(0, 1, exclude_max=True)  # of the length
CHANGE = st.one_of(
    st.tuples(st.just("bit"), PLACE, st.integers(0, 7)),
    st.tuples(st.just("head"), PLACE, st.integers(0, 255)),
    st.tuples(st.just("number"), PLACE, st.sampled_from([0, 1, 2**15, 2**31 - 1, 2**32 - 1])),
    st.tuples(st.just("cut"), PLACE, PLACE),
    st.tuples(st.just("end"), PLACE, st.just(0)),
    st.tuples(st.just("insert"), PLACE, st.binary(max_size=40)),
    st.tuples(st.just("other"), PLACE, st.sampled_from(sorted(KINDS))),
)


def change(content: bytes, how: str, place: float, what) -> bytes:
    """One fault in a file."""
    if how == "head":
        place = min(place, 300 / max(len(content), 1))  # the numbers that describe the video
    at = int(place * len(content))
    before, after = content[:at], content[at:]
    if how == "bit" and after:
        return before + bytes([after[0] ^ 1 << what]) + after[1:]
    if how == "head" and after:
        return before + bytes([what]) + after[1:]
    if how == "number":
        return before + what.to_bytes(4, "big") + after[4:]
    if how == "cut":
        return before + after[int(what * len(after)) :]
    if how == "insert":
        return before + what + after
    if how == "other":
        return before + whole(what)[int(place * len(whole(what))) :]
    return before


def check(path) -> None:
    try:
        frames, fps = read_video(path, stride=1, max_frames=MOST)
        assert 0.001 <= fps <= 1000
        sizes = set()
        for frame in islice(frames, MOST):
            assert frame.dtype == np.uint8 and frame.ndim == 3 and frame.shape[2] == 3
            sizes.add(frame.shape)
        assert len(sizes) == 1
    except UserError as error:
        assert str(path) in str(error) and "\n" not in str(error)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("video")


@given(kind=st.sampled_from(sorted(KINDS)), changes=st.lists(CHANGE, max_size=4))
def test_damaged(folder, kind, changes) -> None:
    content = whole(kind)
    for how, place, what in changes:
        content = change(content, how, place, what)
    path = folder / f"a.{kind}"
    path.write_bytes(content)
    check(path)


SOUNDING = {"mp4": "aac", "mkv": "mp3", "mov": "pcm_s16le", "ts": "mp2"}


@pytest.fixture(scope="module")
def sounding(folder) -> dict[str, bytes]:
    """Videos with sound, by the ending of their name."""
    sound = clicks([0.1], seconds=0.4, rate=44100)
    return {
        ending: write_sounding(
            folder / f"whole.{ending}", moving(8, 32, 48), 25, sound, codec=codec
        ).read_bytes()
        for ending, codec in SOUNDING.items()
    }


@given(ending=st.sampled_from(sorted(SOUNDING)), changes=st.lists(CHANGE, max_size=4))
def test_damaged_sound(folder, sounding, ending, changes) -> None:
    content = sounding[ending]
    for how, place, what in changes:
        content = change(content, how, place, what)
    path = folder / f"c.{ending}"
    path.write_bytes(content)
    try:
        sound = read_audio(path, 2.0)
    except UserError as error:
        assert str(path) in str(error) and "\n" not in str(error)
        return
    if sound is not None:
        assert sound.rate == 48000 and sound.samples.dtype == np.float32
        assert sound.samples.shape[0] in (1, 2) and 1 <= sound.samples.shape[1] <= 96000


HEADS = [
    b"",
    b"\0\0\0\x18ftypmp42",
    b"\x1aE\xdf\xa3",
    b"RIFF\0\0\0\0AVI ",
    b"FLV\1\5\0\0\0\x09",
    b"GIF89a",
    b"\x89PNG\r\n\x1a\n",
    b"G" + bytes(187),
    b"\0\0\1\xba",
    b"OggS\0\2",
    b"YUV4MPEG2 W32 H32 F1:1\nFRAME\n",
    b"DKIF\0\0 \0VP80",
    b"#EXTM3U\n",
    b"\0\0\0\1g",
]


@given(head=st.sampled_from(HEADS), rest=st.binary(max_size=400), repeat=st.integers(1, 9))
def test_only_a_beginning(folder, head, rest, repeat) -> None:
    path = folder / "b.mp4"
    path.write_bytes((head + rest) * repeat)
    check(path)
