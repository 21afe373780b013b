"""Matches drawn over both keyframes."""

import numpy as np
import pytest
import torch

from fcvg_core.lines import LineMatches, draw_matches
from fcvg_core.lines.draw import line_colors


def test_side_by_side() -> None:
    frames = np.full((2, 64, 96, 3), 200, np.uint8)
    lines = torch.tensor([[[10.0, 20.0], [50.0, 20.0]]])
    preview = draw_matches(*frames, LineMatches(lines, lines + 10, (64, 96)), seed=0)
    assert preview.shape == (64, 192, 3) and preview.dtype == np.uint8
    assert (preview[20, 30] == line_colors(1, 0)[0]).all()
    assert (preview[30, 96 + 40] == line_colors(1, 0)[0]).all()
    assert (preview[50, 5] == 110).all() and (frames == 200).all()


def test_no_matches() -> None:
    frame, empty = np.zeros((64, 64, 3), np.uint8), torch.zeros(0, 2, 2)
    preview = draw_matches(frame, frame, LineMatches(empty, empty, (64, 64)), seed=0)
    assert not preview.any()


def test_error() -> None:
    frame, empty = np.zeros((64, 64, 3), np.uint8), torch.zeros(0, 2, 2)
    with pytest.raises(ValueError, match=r"expected frames \[64, 80, 3\], got \[64, 64, 3\]"):
        draw_matches(frame, frame, LineMatches(empty, empty, (64, 80)), seed=0)
