"""From two keyframes to control frames."""

import logging

import numpy as np
import pytest
import torch

from fcvg_core.lines import ClassicLineMatcher, LineMatches
from fcvg_core.standalone.conditions import choose_matcher, make_conditions
from fcvg_core.standalone.matches_file import write_matches
from fcvg_core.standalone.scene import draw_sample_pair

USUAL = {"match": ClassicLineMatcher(), "line_width": 1, "seed": 0}


@pytest.mark.parametrize("num_frames", [2, 3, 26])
def test_as_many_as_asked_for(num_frames) -> None:
    frames = make_conditions(draw_sample_pair((128, 192)), num_frames=num_frames, **USUAL)
    assert frames.shape == (num_frames, 128, 192, 3) and frames.dtype == np.uint8
    assert all(frame.any() for frame in frames)


def test_nothing_to_match(caplog) -> None:
    caplog.set_level(logging.WARNING)
    blank = np.full((64, 64, 3), 128, np.uint8)
    seen = []
    frames = make_conditions(
        (blank, blank), num_frames=3, progress=lambda *state: seen.append(state), **USUAL
    )
    assert not frames.any() and "No line" in caplog.text
    assert seen == [("conditions", done, 2) for done in range(3)]


class TestChooseMatcher:
    lines = torch.tensor([[[1.0, 2.0], [30.0, 40.0]]])

    def test_matches_of_a_file(self, tmp_path) -> None:
        write_matches(tmp_path / "m.json", LineMatches(self.lines, self.lines, size=(64, 96)))
        match = choose_matcher((64, 96), max_lines=1, matches=tmp_path / "m.json")
        frames = make_conditions(
            (np.zeros((64, 96, 3), np.uint8),) * 2, match=match, num_frames=2, line_width=1, seed=0
        )
        assert frames.any()

    def test_file_for_another_size(self, tmp_path) -> None:
        write_matches(tmp_path / "m.json", LineMatches(self.lines, self.lines, size=(64, 96)))
        with pytest.raises(ValueError, match="96 x 64 pixels, but these are 128 x 64"):
            choose_matcher((64, 128), max_lines=1, matches=tmp_path / "m.json")
