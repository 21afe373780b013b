"""Pictures of every kind become keyframes."""

import logging

import numpy as np
import pytest
from PIL import Image

from fcvg_core.standalone.keyframes import read_frame, read_keyframes

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
        with pytest.raises(ValueError, match=r"There is no picture .*gone\.png"):
            read_frame(tmp_path / "gone.png")

    @pytest.mark.parametrize("kept", [0, 20, 200])
    def test_damaged(self, tmp_path, kept) -> None:
        path = tmp_path / "cut.png"
        noise = np.random.RandomState(0).randint(0, 256, (32, 32, 3)).astype(np.uint8)
        Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(ValueError, match=rf"cut\.png \({kept} bytes\) can't be read"):
            read_frame(path)


class TestReadKeyframes:
    def test_one_size(self, tmp_path, caplog) -> None:
        caplog.set_level(logging.INFO)
        for name, size in (("a.png", (40, 30)), ("b.png", (80, 20))):
            Image.new("RGB", size, (9, 9, 9)).save(tmp_path / name)
        frames = read_keyframes(tmp_path / "a.png", tmp_path / "b.png", (64, 128))
        assert [frame.shape for frame in frames] == [(64, 128, 3)] * 2
        assert "40 x 30 and the last 80 x 20 pixels: both become 128 x 64" in caplog.text

    def test_right_size_is_left_alone(self, tmp_path) -> None:
        """As ComfyUI's face does; the reference's crop takes a row of this size."""
        pixels = np.random.RandomState(0).randint(0, 256, (448, 576, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "a.png")
        frames = read_keyframes(tmp_path / "a.png", tmp_path / "a.png", (448, 576))
        assert all(np.array_equal(frame, pixels) for frame in frames)

    def test_says_nothing_of_equal_sizes(self, tmp_path, caplog) -> None:
        caplog.set_level(logging.INFO)
        Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
        read_keyframes(tmp_path / "a.png", tmp_path / "a.png", (64, 128))
        assert not caplog.text
