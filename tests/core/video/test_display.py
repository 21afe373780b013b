"""Frames as a player shows them."""

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from videos import COLORS, noise, read, write_exactly

from fcvg_core.video.display import EXACT, FULL, MATRICES, square_size

# The matrix in the file, and what it makes of a frame: all turns by quarters, also mirrored.
TURNS = {
    "as it is": ((1, 0, 0, 1), lambda x: x),
    "clockwise": ((0, 1, -1, 0), lambda x: np.rot90(x, -1)),
    "half": ((-1, 0, 0, -1), lambda x: np.rot90(x, 2)),
    "anticlockwise": ((0, -1, 1, 0), np.rot90),
    "mirrored": ((-1, 0, 0, 1), np.fliplr),
    "over": ((1, 0, 0, -1), np.flipud),
    "transposed": ((0, 1, 1, 0), lambda x: x.transpose(1, 0, 2)),
    "other diagonal": ((0, -1, -1, 0), lambda x: np.rot90(x, 2).transpose(1, 0, 2)),
}


def circle(aspect: float, height: int = 72, width: int = 90) -> np.ndarray:
    """A white circle on black, in pixels of an aspect."""
    y, x = np.mgrid[:height, :width]
    inside = (aspect * (x - width / 2 + 0.5)) ** 2 + (y - height / 2 + 0.5) ** 2 < 30**2
    return np.repeat(255 * inside[..., None], 3, 2).astype(np.uint8)


def write(path: Path, frames, codec: str, pix_fmt: str, *, matrix: int = 5, **tags) -> Path:
    """A video of the colours of a matrix; `tags` are noted in it."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=7)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.options = {"crf": "4"} if "264" in codec else {}
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        colors = {
            "src_color_range": FULL,
            "dst_color_range": tags.get("color_range", 0),
            "dst_colorspace": matrix,
        }
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(
                format=pix_fmt, interpolation=EXACT, **({} if "gray" in pix_fmt else colors)
            )
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def turn_file(path: Path, turn: str) -> None:
    """Change the matrix of a file that is shown as it is."""
    plain = bytes.fromhex(f"00010000{'0' * 24}00010000{'0' * 24}40000000")
    a, b, c, d = TURNS[turn][0]
    values = np.array([a, b, 0, c, d, 0, 0, 0, 2**14]) * 2**16
    before, after = path.read_bytes().rsplit(plain, 1)  # the last one is the track's
    path.write_bytes(before + values.astype(">i4").tobytes() + after)


class TestTheWayUp:
    @pytest.mark.parametrize("turn", TURNS)
    def test_quarters_and_mirrors(self, tmp_path, turn) -> None:
        frames = noise(2)
        path = write_exactly(tmp_path / "a.mov", frames)
        turn_file(path, turn)
        assert np.array_equal(read(path), np.stack([TURNS[turn][1](frame) for frame in frames]))


class TestPixelAspect:
    @pytest.mark.parametrize("turn", TURNS)
    @pytest.mark.parametrize("aspect", [Fraction(64, 45), Fraction(8, 9), Fraction(4, 3), 1])
    def test_a_circle_is_round(self, tmp_path, aspect, turn) -> None:
        frames = [circle(float(aspect))]
        path = write(tmp_path / "a.mov", frames, "libx264", "yuv444p", sample_aspect_ratio=aspect)
        turn_file(path, turn)
        shown = read(path)[0, ..., 1] > 127
        high, wide = (np.ptp(np.flatnonzero(shown.any(axis))) + 1 for axis in (1, 0))
        assert abs(high - wide) <= 2 and high >= 58
        size = (72, round(90 * aspect)) if aspect > 1 else (round(72 / aspect), 90)
        assert shown.shape == TURNS[turn][1](np.zeros((*size, 3))).shape[:2]

    @pytest.mark.parametrize(
        ("aspect", "want"),
        [
            (None, (720, 576)),
            (Fraction(64, 45), (1024, 576)),
            (Fraction(8, 9), (720, 648)),
            (Fraction(4, 1), (2880, 576)),
            (Fraction(0, 1), (720, 576)),
            (Fraction(-4, 3), (720, 576)),
            (Fraction(10**6, 1), (720, 576)),
            (Fraction(1, 10**6), (720, 576)),
        ],
    )
    def test_one_side_grows(self, aspect, want) -> None:
        """An aspect that no camera has is passed over."""
        assert square_size(SimpleNamespace(width=720, height=576), aspect) == want


class TestColors:
    @pytest.mark.parametrize("size", [(64, 96), (768, 512)])
    @pytest.mark.parametrize(
        ("pix_fmt", "colorspace", "color_range"),
        [
            ("yuv420p", 1, 1),
            ("yuv420p", 1, 2),
            ("yuv420p", 5, 1),
            ("yuv422p", 6, 2),
            ("yuv444p", 7, 1),
            ("yuv420p10le", 9, 1),
        ],
    )
    def test_as_noted(self, tmp_path, size, pix_fmt, colorspace, color_range) -> None:
        frames = [np.full((*size, 3), color, np.uint8) for color in COLORS]
        path = write(
            tmp_path / "a.mp4",
            frames,
            "libx264",
            pix_fmt,
            matrix=MATRICES[colorspace],
            colorspace=colorspace,
            color_range=color_range,
        )
        assert np.abs(read(path).astype(int) - np.stack(frames)).max() <= 3

    @pytest.mark.parametrize(("height", "matrix"), [(576, 5), (718, 5), (720, 1), (1024, 1)])
    @pytest.mark.parametrize("colorspace", [2, 3, 8, 14])
    def test_not_noted(self, tmp_path, height, matrix, colorspace) -> None:
        """Or in a way that is not known: as browsers guess."""
        frames = [np.full((height, 64, 3), color, np.uint8) for color in COLORS]
        path = write(
            tmp_path / "a.mp4", frames, "libx264", "yuv420p", matrix=matrix, colorspace=colorspace
        )
        assert np.abs(read(path).astype(int) - np.stack(frames)).max() <= 3

    @pytest.mark.parametrize("trc", [16, 18])
    def test_high_dynamic_range(self, tmp_path, trc) -> None:
        """It is read; its levels are taken as they are."""
        frames = [np.full((64, 96, 3), color, np.uint8) for color in COLORS]
        path = write(
            tmp_path / "a.mp4",
            frames,
            "libx264",
            "yuv420p10le",
            matrix=9,
            colorspace=9,
            color_range=1,
            color_trc=trc,
            color_primaries=9,
        )
        assert np.abs(read(path).astype(int) - np.stack(frames)).max() <= 3

    @pytest.mark.parametrize("pix_fmt", ["gray", "gray10le", "yuva420p", "bgra", "rgb48le"])
    def test_grey_and_alpha(self, tmp_path, pix_fmt) -> None:
        frames = [np.full((32, 48, 3), level, np.uint8) for level in (0, 99, 255)]
        path = write(tmp_path / "a.mkv", frames, "ffv1", pix_fmt)
        assert np.abs(read(path).astype(int) - np.stack(frames)).max() <= 1


def test_size_that_changes(tmp_path) -> None:
    """Every frame has the size of the first, as in a player's window."""
    parts = []
    for size in ((48, 64), (96, 128), (32, 32)):
        frames = [np.full((*size, 3), 99, np.uint8)] * 3
        path = write(tmp_path / f"{size[0]}.h264", frames, "libx264", "yuv420p")
        parts.append(path.read_bytes())
    (tmp_path / "a.h264").write_bytes(b"".join(parts))
    frames = read(tmp_path / "a.h264")
    assert frames.shape == (9, 48, 64, 3) and np.abs(frames.astype(int) - 99).max() <= 2
