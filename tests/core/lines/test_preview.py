"""Matches drawn over both keyframes."""

import numpy as np
import pytest
import torch

from fcvg_core.lines import LineMatches, draw_matches
from fcvg_core.lines.draw import line_colors
from fcvg_core.lines.filter import select_matches


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


def test_removed_matches_are_thin_and_grey_under_the_others() -> None:
    frame = np.zeros((64, 64, 3), np.uint8)
    lines = torch.tensor([[[5.0, 20.0], [50.0, 20.0]], [[30.0, 5.0], [30.0, 60.0]]])
    both = LineMatches(lines, lines, (64, 64))
    kept = select_matches(both, torch.tensor([True, False]))
    preview = draw_matches(frame, frame, kept, seed=0, removed=both)
    whole = draw_matches(frame, frame, both, seed=0)
    assert (preview[20, 30] == line_colors(2, 0)[0]).all()
    assert (whole[20, 10] == preview[20, 10]).all()
    assert (preview[50, 28:33, 0] == [0, 0, 140, 0, 0]).all() and len(set(preview[50, 30])) == 1


class TestIds:
    def drawn(self, matches: LineMatches) -> np.ndarray:
        """Where ids are written over both frames of 600 x 300."""
        frame = np.zeros((300, 600, 3), np.uint8)
        plain, numbered = (
            draw_matches(frame, frame, matches, seed=0, show_ids=show) for show in (False, True)
        )
        return (plain != numbered).any(axis=-1)

    def test_beside_their_lines(self) -> None:
        lines = torch.tensor([[[100.0, 100.0], [300.0, 100.0]]])
        drawn = self.drawn(LineMatches(lines, lines + 100, (300, 600)))
        for left, row in ((200, 100), (300 + 600, 200)):
            rows, columns = drawn[:, left - 100 : left + 100].nonzero()
            assert abs(rows.mean() - row) < 5 and abs(columns.mean() - 100) < 5
            assert 12 <= np.ptp(rows) <= 30  # 1/64 of the picture's width, and the outline

    def test_the_number_counts(self) -> None:
        lines = torch.tensor([[[100.0, 100.0], [300.0, 100.0]]])
        one, other = (
            self.drawn(
                LineMatches(lines, lines, (300, 600), ids=torch.tensor([number]), num_matched=9)
            )
            for number in (7, 8)
        )
        assert (one != other).any()

    def test_numbers_do_not_cover_each_other(self) -> None:
        """Two lines with the same middle."""
        lines = torch.tensor([[[100.0, 150.0], [500.0, 150.0]], [[300.0, 10.0], [300.0, 290.0]]])
        both = LineMatches(lines, lines, (300, 600))
        alone = [self.drawn(select_matches(both, torch.arange(2) == i)).sum() for i in (0, 1)]
        assert self.drawn(both).sum() > 0.9 * sum(alone)

    @pytest.mark.parametrize("far", [-1e3, 1e9, 3e38])
    def test_far_outside(self, far: float) -> None:
        lines = torch.tensor([[[far, far], [far, -far]]])
        assert self.drawn(LineMatches(lines, lines, (300, 600))).sum() in range(5000)
