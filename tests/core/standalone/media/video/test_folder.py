"""A folder of pictures as frames."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from videos import noise

from fcvg_core.standalone.media.video import list_pictures, read_image_folder


class TestReadImageFolder:
    def write(self, folder: Path, names: list[str]) -> np.ndarray:
        frames = noise(len(names))
        for name, frame in zip(names, frames, strict=True):
            Image.fromarray(frame).save(folder / name)
        return frames

    def test_natural_order(self, tmp_path) -> None:
        names = ["frame1.png", "frame2.png", "Frame10.PNG", "frame011.png", "other.png"]
        frames = self.write(tmp_path, names)
        assert np.array_equal(np.stack(list(read_image_folder(tmp_path, max_frames=None))), frames)

    def test_digits_first_and_words_first(self, tmp_path) -> None:
        frames = self.write(tmp_path, ["2.png", "10.png", "a1b3.png", "a1b20.png", "b.png"])
        assert np.array_equal(np.stack(list(read_image_folder(tmp_path, max_frames=None))), frames)

    def test_list(self, tmp_path) -> None:
        self.write(tmp_path, ["b2.png", "b10.png"])
        (tmp_path / ".b.png").write_bytes(b"")
        (tmp_path / "notes.txt").write_text("1")
        assert [path.name for path in list_pictures(tmp_path)] == ["b2.png", "b10.png"]

    def test_max_frames(self, tmp_path) -> None:
        frames = self.write(tmp_path, ["9.png", "10.png", "11.png"])
        got = list(read_image_folder(tmp_path, max_frames=2))
        assert np.array_equal(np.stack(got), frames[:2])

    def test_other_files(self, tmp_path) -> None:
        frames = self.write(tmp_path, ["a.png"])
        (tmp_path / "notes.txt").write_text("1")
        (tmp_path / "._a.png").write_bytes(b"of macOS")
        (tmp_path / "folder.png").mkdir()
        assert np.array_equal(np.stack(list(read_image_folder(tmp_path, max_frames=None))), frames)

    def test_the_way_up(self, tmp_path) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6  # to be turned clockwise
        frame = noise(1)[0]
        Image.fromarray(frame).save(tmp_path / "a.png", exif=exif)
        assert np.array_equal(
            next(read_image_folder(tmp_path, max_frames=None)), np.rot90(frame, -1)
        )

    def test_another_size(self, tmp_path) -> None:
        self.write(tmp_path, ["1.png", "2.png"])
        Image.fromarray(noise(1, 8, 9)[0]).save(tmp_path / "10.png")
        frames = read_image_folder(tmp_path, max_frames=None)
        assert len(list(itertools.islice(frames, 2))) == 2
        with pytest.raises(
            ValueError, match=r"10.png has 9 x 8 pixels, but 1.png has 51 x 33 pixels"
        ):
            next(frames)

    def test_damaged(self, tmp_path) -> None:
        (tmp_path / "1.png").write_bytes(b"no picture")
        with pytest.raises(ValueError, match="can't be read as a picture"):
            next(read_image_folder(tmp_path, max_frames=None))

    def test_empty(self, tmp_path) -> None:
        (tmp_path / "a.txt").write_text("1")
        with pytest.raises(ValueError, match="holds no pictures; expected .bmp, .gif"):
            read_image_folder(tmp_path, max_frames=None)

    @pytest.mark.parametrize("name", ["nothing", "file.png"])
    def test_no_folder(self, tmp_path, name) -> None:
        self.write(tmp_path, ["file.png"])
        with pytest.raises(ValueError, match=f"There is no folder .*{name}"):
            read_image_folder(tmp_path / name, max_frames=None)

    def test_wrong_max_frames(self, tmp_path) -> None:
        with pytest.raises(ValueError, match="at least 1 frame to read, got -1"):
            read_image_folder(tmp_path, max_frames=-1)
