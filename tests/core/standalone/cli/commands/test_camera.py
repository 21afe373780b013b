"""The camera command."""

import numpy as np
import pytest
from PIL import Image

from fcvg_core.motion import Camera, move_picture
from fcvg_core.standalone.cli.main import main

SIZED = ["--width", "192", "--height", "128", "--frames", "3"]


def read(path) -> np.ndarray:
    return np.asarray(Image.open(path))


class TestCamera:
    def test_inbetween_takes_what_it_writes(self, pair, tmp_path, capsys):
        out = tmp_path / "moved"
        move = ["--move", "pan-left", "--amount", "0.5", "--rotate", "10", "--border", "black"]
        assert main(["camera", pair[0], "-o", str(out), *SIZED, *move]) == 0
        assert f"video:      {out / 'camera.mp4'}" in capsys.readouterr().out
        first, last, unseen = (read(out / f"{name}.png") for name in ("first", "last", "unseen"))
        moved = move_picture(first, Camera(pan=(0.5, 0), rotate=10), 1, "black")
        assert np.array_equal(last, moved)
        assert set(np.unique(unseen)) == {0, 255} and not last[unseen == 255].any()
        files = [str(out / "first.png"), str(out / "last.png")]
        files += ["--matches", str(out / "matches.json"), "-o", str(tmp_path / "control")]
        assert main(["inbetween", *files, *SIZED, "--conditions-only"]) == 0
        condition = tmp_path / "control" / "condition"
        assert (read(condition / "00.png") != read(condition / "02.png")).any()

    def test_a_camera_that_does_not_move(self, pair, tmp_path, capsys):
        given = ["--move", "zoom-in", "--zoom", "0.5", "--amount", "1"]
        for still in ([], given):
            assert main(["camera", pair[0], "-o", str(tmp_path / "m"), *SIZED, *still]) == 2
            assert "The camera does not move: choose a move" in capsys.readouterr().err
        assert not (tmp_path / "m").exists()

    @pytest.mark.parametrize(
        ("option", "words"),
        [
            (["--move", "dolly"], "expected one of zoom-in, zoom-out"),
            (["--zoom", "0"], "expected a number from 0.1 to 10, got 0"),
            (["--tilt-x", "31"], "expected a number from -30 to 30, got 31"),
            (["--border", "repeat"], "expected one of reflect, black"),
            (["--at", "0,2"], "--at"),  # there is one picture
            (["--move", "tilt-right", "--amount", "1", "--tilt-x", "1"], "the camera is 31"),
        ],
    )
    def test_bad_numbers_and_words(self, pair, tmp_path, capsys, option, words):
        try:
            code = main(["camera", pair[0], "-o", str(tmp_path / "m"), *SIZED, *option])
        except SystemExit as stopped:
            code = stopped.code
        assert code == 2
        assert words in capsys.readouterr().err

    def test_a_picture_without_lines_says_so(self, tmp_path, caplog):
        Image.new("RGB", (192, 128)).save(tmp_path / "black.png")
        move = ["--move", "zoom-out", "-o", str(tmp_path / "m")]
        assert main(["camera", str(tmp_path / "black.png"), *SIZED, *move]) == 0
        assert "No line steers the video. Raise --max-lines" in caplog.text
