"""The match command."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fcvg_core.standalone.cli.main import main

ROOT = Path(__file__).parents[5]
pytestmark = pytest.mark.usefixtures("models")


class TestMatch:
    def test_what_it_writes_is_taken_back(self, pair, tmp_path, capsys) -> None:
        sized = ["--width", "256", "--height", "128"]
        assert main(["match", *pair, "-o", str(tmp_path / "m"), *sized]) == 0
        assert "lines match" in capsys.readouterr().out
        lines = (tmp_path / "m" / "matches.json").read_text().splitlines()
        assert lines[0] == '{"version": 1, "size": [256, 128], "matches": ['
        assert lines[1].startswith('{"id": 0, "first": [[')
        assert Image.open(tmp_path / "m" / "matches.png").size == (512, 128)
        common = ["inbetween", *pair, "--conditions-only", "--frames", "3", *sized]
        assert main([*common, "-o", str(tmp_path / "a")]) == 0
        given = ["--matches", str(tmp_path / "m" / "matches.json")]
        assert main([*common, "-o", str(tmp_path / "b"), *given]) == 0
        for name in ("00.png", "02.png"):
            one, other = (
                np.asarray(Image.open(tmp_path / x / "condition" / name), int) for x in "ab"
            )
            assert np.array_equal(one, other)

    def test_of_padded_frames(self, pair, tmp_path) -> None:
        given = ["--width", "128", "--height", "128", "--fit", "pad", "--anchor", "bottom"]
        assert main(["match", *pair, "-o", str(tmp_path / "m"), *given]) == 0
        picture = np.asarray(Image.open(tmp_path / "m" / "matches.png"))
        assert not picture[:50].any() and picture[51:].any()

    def test_nothing_is_overwritten(self, pair, tmp_path) -> None:
        for more in ([], ["--show-ids"]):
            assert main(["match", *pair, "-o", str(tmp_path / "m"), *more]) == 0
        assert (tmp_path / "m_0001" / "matches.json").is_file()
        plain, numbered = (
            np.asarray(Image.open(tmp_path / name / "matches.png")) for name in ("m", "m_0001")
        )
        assert plain.shape == numbered.shape and (plain != numbered).any()

    def test_file_that_is_none(self, pair, tmp_path, capsys) -> None:
        given = ["--matches", str(tmp_path / "none.json"), "--conditions-only"]
        assert main(["inbetween", *pair, *given]) == 2
        assert "There is no file" in capsys.readouterr().err
