"""The small picture of a result."""

import io

import numpy as np
import pytest
from PIL import Image
from videos import still, write_exactly

from fcvg_core.batch.workers.strip import COLUMNS, STRIP, draw_strip, write_strip
from fcvg_core.errors import UserError
from fcvg_core.standalone.media.writing import write_video


def picture(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


class TestDrawStrip:
    def test_has_the_first_the_last_and_frames_between(self, tmp_path):
        frames = still(9)
        write_video(tmp_path / "a.mp4", frames, 8)
        strip = picture(draw_strip(tmp_path / "a.mp4"))
        assert strip.shape == (61, 480, 3)  # 96 x 64 pixels become 92 x 61
        for column, number in enumerate((0, 2, 4, 6, 8)):
            seen = strip[30, column * 97 + 46].astype(int)
            assert abs(seen - frames[number][0, 0]).max() < 12

    def test_of_a_video_with_few_frames(self, tmp_path):
        write_video(tmp_path / "a.mp4", still(2), 8)
        assert picture(draw_strip(tmp_path / "a.mp4")).shape == (61, 2 * 97 - 5, 3)

    def test_of_one_frame_that_is_very_wide(self, tmp_path):
        write_exactly(tmp_path / "a.mov", [np.zeros((4, 1600, 3), np.uint8)])
        assert picture(draw_strip(tmp_path / "a.mov")).shape == (1, 92, 3)

    def test_of_a_damaged_video(self, tmp_path):
        (tmp_path / "a.mp4").write_bytes(b"no video")
        with pytest.raises(UserError, match="can't be read as a video"):
            draw_strip(tmp_path / "a.mp4")


class TestWriteStrip:
    def test_beside_the_video(self, tmp_path):
        write_video(tmp_path / "film.mp4", still(COLUMNS), 8)
        assert write_strip(tmp_path)
        assert sorted(each.name for each in tmp_path.iterdir()) == ["film.mp4", STRIP]

    def test_without_a_video(self, tmp_path):
        assert not write_strip(tmp_path)
        assert not list(tmp_path.iterdir())

    def test_of_a_damaged_video_is_left_out(self, tmp_path, caplog):
        (tmp_path / "film.mp4").write_bytes(b"no video")
        assert not write_strip(tmp_path)
        assert "No strip can be drawn of film.mp4" in caplog.text
