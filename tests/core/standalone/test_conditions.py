"""From two keyframes to control frames."""

import logging

import numpy as np
import pytest

from fcvg_core.lines import ClassicLineMatcher
from fcvg_core.standalone.conditions import make_conditions
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
