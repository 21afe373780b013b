"""Pictures of every kind become keyframes."""

import contextlib
import io
import logging
import os
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fcvg_core.errors import UserError
from fcvg_core.standalone.media import pictures as keyframes
from fcvg_core.standalone.media.pictures import read_frame, read_keyframes

RAMP = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4


class TestReadFrame:
    @pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK"])
    def test_modes(self, tmp_path, mode) -> None:
        path = tmp_path / ("picture.tif" if mode == "CMYK" else "picture.png")
        Image.fromarray(RAMP).convert("RGB").convert(mode).save(path)
        frame = read_frame(path)
        assert frame.shape == (8, 8, 3) and frame.dtype == np.uint8
        assert np.array_equal(frame, Image.open(path).convert("RGB"))

    def test_alpha_is_dropped(self, tmp_path) -> None:
        Image.new("RGBA", (8, 8), (200, 100, 50, 0)).save(tmp_path / "clear.png")
        assert read_frame(tmp_path / "clear.png")[3, 3].tolist() == [200, 100, 50]

    @pytest.mark.parametrize("suffix", ["png", "tif"])
    def test_16_bits(self, tmp_path, suffix) -> None:
        Image.fromarray(RAMP.astype(np.uint16) * 257).save(tmp_path / f"deep.{suffix}")
        assert np.array_equal(read_frame(tmp_path / f"deep.{suffix}")[..., 1], RAMP)

    def test_floating_point(self, tmp_path) -> None:
        Image.fromarray(RAMP.astype(np.float32) / 255).save(tmp_path / "float.tif")
        assert np.array_equal(read_frame(tmp_path / "float.tif")[..., 2], RAMP)

    def test_floating_point_beyond_numbers(self, tmp_path) -> None:
        """What is no number is black, infinity is white, and neither changes the rest."""
        values = RAMP.astype(np.float32) / 255
        values[0, :3] = np.nan, np.inf, -np.inf
        Image.fromarray(values).save(tmp_path / "float.tif")
        frame = read_frame(tmp_path / "float.tif")[..., 0]
        assert frame[0, :3].tolist() == [0, 255, 0] and np.array_equal(frame[1:], RAMP[1:])

    def test_lab(self, tmp_path) -> None:
        Image.new("LAB", (8, 8), (136, 208, 195)).save(tmp_path / "red.tif")
        red, green, blue = read_frame(tmp_path / "red.tif")[0, 0].tolist()
        assert red > 245 and green < 10 and blue < 20

    @pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF", "MPO"])
    def test_the_first_of_several(self, tmp_path, kind) -> None:
        first, later = (Image.new("RGB", (16, 24), color) for color in ("white", "black"))
        first.save(tmp_path / "several", kind, save_all=True, append_images=[later, later])
        frame = read_frame(tmp_path / "several")
        assert frame.shape == (24, 16, 3) and frame.min() > 240

    @pytest.mark.parametrize("size", [(1, 1), (1, 65000), (65000, 1)])
    def test_extreme_shapes(self, tmp_path, size) -> None:
        Image.new("RGB", size, (9, 8, 7)).save(tmp_path / "thin.png")
        assert read_frame(tmp_path / "thin.png").shape == (size[1], size[0], 3)

    def test_way_up(self, tmp_path) -> None:
        picture = Image.fromarray(RAMP[:4])
        exif = picture.getexif()
        exif[0x0112] = 6  # the camera was held upright
        picture.save(tmp_path / "upright.jpg", exif=exif)
        assert read_frame(tmp_path / "upright.jpg").shape == (8, 4, 3)

    def test_unicode_path(self, tmp_path) -> None:
        path = tmp_path / "\u59cb\u307e\u308a \u00e9.png"
        Image.fromarray(RAMP).save(path)
        assert np.array_equal(read_frame(path)[..., 0], RAMP)

    def test_missing(self, tmp_path) -> None:
        with pytest.raises(ValueError, match=r"There is no file .*gone\.png"):
            read_frame(tmp_path / "gone.png")

    @pytest.mark.parametrize("kept", [0, 20, 200])
    def test_damaged(self, tmp_path, kept) -> None:
        path = tmp_path / "cut.png"
        noise = np.random.RandomState(0).randint(0, 256, (32, 32, 3)).astype(np.uint8)
        Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(ValueError, match=rf"cut\.png \({kept} bytes\) can't be read"):
            read_frame(path)

    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF", "GIF", "BMP", "PPM"])
    def test_cut_off(self, tmp_path, kind) -> None:
        noise = np.random.RandomState(0).randint(0, 256, (32, 32, 3)).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(noise).save(file, kind)
        for kept in (4, 12, 100, len(file.getvalue()) // 2, len(file.getvalue()) * 9 // 10):
            refused(tmp_path, file.getvalue()[:kept])

    @pytest.mark.parametrize(
        "content",
        [
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n",
            b"BLP2" + bytes(200),
            b"DDS " + b"\xff" * 200,
            b"8BPS\0\1" + b"\xff" * 60,
            b"P6 9 9 99999 ",
            b"SIMPLE",
            b"GRIB\0\0\0\1" * 9,
            b"\0\0\1\0\1\0" + b"\xff" * 30,
            b"a text",
            b"\0" * 1000,
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xd8\xff",
            b"\xff\xd8" + bytes(10**6),
            b"II*\0",
            b"MM\0*\0\0\0\x08\xff\xff",
            b"II+\0\x08\0\0\0\x08" + b"\xff" * 30,
            b"RIFF\0\0\0\0WEBPVP8X",
            b"RIFF\x1a\0\0\0WEBPEXIF\0\0\0\x80",
            b"\0\0\0 ftypavif" + bytes(60),
            b"\0\0\0\x0cjP  \r\n\x87\n" + b"\xff" * 60,
        ],
        ids=lambda content: repr(content[:12]),
    )
    def test_other_content(self, tmp_path, content) -> None:
        refused(tmp_path, content)

    def test_too_many_pixels(self, tmp_path, monkeypatch) -> None:
        head = b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, 20000, 20000, 1, 24, *[0] * 6)
        message = refused(tmp_path, head + bytes(99), reason="too many pixels")
        assert "400000000" in message and "178956970" in message
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
        message = refused(tmp_path, head + bytes(99), reason="too many pixels")
        assert "400000000" in message and "178956970" in message

    def test_many_pixels_are_no_warning(self, tmp_path, monkeypatch) -> None:
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
        Image.new("RGB", (11, 11)).save(tmp_path / "large.png")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert read_frame(tmp_path / "large.png").shape == (11, 11, 3)

    def test_a_damaged_tiff_does_not_fill_the_terminal(self, tmp_path, capfd) -> None:
        file = io.BytesIO()
        noise = np.random.RandomState(0).randint(0, 2, (99, 99)).astype(bool)
        Image.fromarray(noise).save(file, "TIFF", compression="group4")
        content = bytearray(file.getvalue())
        content[40:200] = b"\xff" * 160
        (tmp_path / "fax.tif").write_bytes(content)
        with contextlib.suppress(UserError):
            read_frame(tmp_path / "fax.tif")
        os.write(2, b"after")
        assert capfd.readouterr().err == "after"

    def test_too_many_bytes(self, tmp_path) -> None:
        with (tmp_path / "huge.png").open("wb") as opened:
            opened.truncate(keyframes.MAX_BYTES + 1)
        with pytest.raises(UserError, match=r"huge\.png has more than 2 GiB"):
            read_frame(tmp_path / "huge.png")

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
    def test_what_is_no_file(self, tmp_path) -> None:
        os.mkfifo(tmp_path / "pipe")
        for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
            with pytest.raises(UserError, match=f"{path} is a folder, a pipe or a device"):
                read_frame(path)

    def test_a_name_that_is_too_long(self, tmp_path) -> None:
        with pytest.raises(UserError, match="aaa.png"):
            read_frame(tmp_path / ("a" * 5000 + ".png"))

    @pytest.mark.skipif(os.name == "nt", reason="names are text there")
    def test_a_name_that_is_no_text(self, tmp_path) -> None:
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xe9.png"))
        Image.fromarray(RAMP).save(path)
        assert np.array_equal(read_frame(path)[..., 0], RAMP)
        path.write_bytes(b"")
        with pytest.raises(UserError, match="can't be read as a picture"):
            read_frame(path)


def refused(tmp_path, content: bytes, *, reason: str = "can't be read as a picture") -> str:
    """What is said of a file of this content."""
    path = tmp_path / "some.picture"
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserError, match=reason) as caught:
            read_frame(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


class TestReadKeyframes:
    def test_one_size(self, tmp_path, caplog) -> None:
        caplog.set_level(logging.INFO)
        for name, size in (("a.png", (40, 30)), ("b.png", (80, 20))):
            Image.new("RGB", size, (9, 9, 9)).save(tmp_path / name)
        paths = tmp_path / "a.png", tmp_path / "b.png"
        frames = read_keyframes(paths, (64, 128))
        assert [frame.shape for frame in frames] == [(64, 128, 3)] * 2
        assert caplog.messages == [
            f"{paths[0]}: 40 x 30 -> 128 x 64: 5 pixels are cut off at the top and 5 at the "
            "bottom.",
            f"{paths[1]}: 80 x 20 -> 128 x 64: 20 pixels are cut off at the left and 20 at the "
            "right.",
        ]

    def test_fit_and_anchor(self, tmp_path) -> None:
        pixels = np.random.RandomState(0).randint(1, 256, (64, 192, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "a.png")
        paths = tmp_path / "a.png", tmp_path / "a.png"
        first, last = read_keyframes(paths, (64, 64), "crop", "right")
        assert np.array_equal(first, pixels[:, 128:]) and np.array_equal(last, first)
        padded, _ = read_keyframes(paths, (128, 192), "pad", "top")
        assert np.array_equal(padded[:64], pixels) and not padded[64:].any()

    def test_right_size_is_left_alone(self, tmp_path) -> None:
        """As ComfyUI's face does; the reference's crop takes a row of this size."""
        pixels = np.random.RandomState(0).randint(0, 256, (448, 576, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "a.png")
        frames = read_keyframes([tmp_path / "a.png"] * 2, (448, 576))
        assert all(np.array_equal(frame, pixels) for frame in frames)

    def test_says_nothing_of_the_right_size(self, tmp_path, caplog) -> None:
        caplog.set_level(logging.INFO)
        Image.new("RGB", (128, 64)).save(tmp_path / "a.png")
        read_keyframes([tmp_path / "a.png"] * 2, (64, 128))
        assert not caplog.text
