"""Line tracks -> frames, pixel by pixel as the official code draws them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from golden_cases import load_arrays

from fcvg_core.lines import LineMatches
from fcvg_core.lines.draw import draw_lines, husl_palette, line_colors, match_colors
from fcvg_core.lines.filter import select_matches


class TestPalette:
    def test_golden(self, golden: Path) -> None:
        case = load_arrays(golden / "dwpose" / "palette.npz")
        counts = [int(key[5:]) for key in case if key.startswith("husl_")]
        assert counts
        for count in counts:
            assert (husl_palette(count) == case[f"husl_{count}"]).all(), count

    def test_shuffled_golden(self, golden: Path) -> None:
        case = load_arrays(golden / "dwpose" / "palette.npz")
        for key in case:
            if key.startswith("shuffled5_"):
                colors = line_colors(int(key[10:]), 5)[:, ::-1]  # ours are swapped for the canvas
                assert (colors == case[key]).all(), key

    def test_none(self) -> None:
        assert husl_palette(0).shape == (0, 3)


class TestDrawLines:
    def test_golden(self, golden: Path) -> None:
        case = load_arrays(golden / "dwpose" / "lines.npz")
        track = torch.from_numpy(case["interpolated"])
        size, seed = tuple(case["size_hw"].tolist()), int(case["seed"])
        colors = line_colors(track.shape[1], seed)
        frames = draw_lines(track, size, line_width=1, colors=colors)
        assert (frames[case["image_frames"]] == case["images"]).all()
        wide = draw_lines(track[:1], size, line_width=2, colors=colors)
        assert (wide[0] == case["image0_lw2"]).all()

    def test_by_hand(self) -> None:
        track = torch.tensor([[[[1.9, 2.2], [4.7, 2.9]]]])
        frame = draw_lines(track, (5, 8), line_width=1, colors=line_colors(1, 0))[0]
        rows, columns = np.nonzero(frame.any(axis=-1))
        assert rows.tolist() == [2] * 4 and columns.tolist() == [1, 2, 3, 4]  # truncated
        assert frame[2, 1].tolist() == [136, 112, 246]  # the palette's red and blue swapped

    def test_no_lines(self) -> None:
        track, none = torch.zeros(2, 0, 2, 2), line_colors(0, 0)
        frames = draw_lines(track, (64, 96), line_width=1, colors=none)
        assert frames.shape == (2, 64, 96, 3) and frames.dtype == np.uint8 and not frames.any()

    @pytest.mark.parametrize("line_width", [1, 32])
    @pytest.mark.parametrize("far", [-70.0, 1e5, 1e12, 1e38, float("inf"), float("nan")])
    def test_far_outside(self, far: float, line_width: int) -> None:
        """Only the first line shows: the piece from (5, 5) into the corner."""
        track = torch.tensor([[[[far, -far], [5, 5]], [[far, far], [2 * far, far]]]])
        frames = draw_lines(track, (64, 64), line_width=line_width, colors=line_colors(2, 0))
        rows, columns = np.nonzero(frames[0].any(axis=-1))
        assert bool(frames[0, 5, 5].any()) == (len(rows) > 0) == np.isfinite(far)
        if len(rows):
            assert len(np.unique(frames[0][rows, columns], axis=0)) == 1
            if far < 0:
                rows, columns = columns, rows
            assert columns.min() >= 5 - line_width and rows.max() <= 5 + line_width

    def test_errors(self) -> None:
        with pytest.raises(ValueError, match=r"expected a track \[T, N, 2, 2\], got \[4, 2, 2\]"):
            draw_lines(torch.zeros(4, 2, 2), (64, 64), line_width=1, colors=line_colors(4, 0))
        with pytest.raises(ValueError, match="at least 1 pixel, got 0"):
            draw_lines(torch.zeros(1, 4, 2, 2), (64, 64), line_width=0, colors=line_colors(4, 0))
        with pytest.raises(ValueError, match=r"expected colors \[4, 3\], got \[3, 3\]"):
            draw_lines(torch.zeros(1, 4, 2, 2), (64, 64), line_width=1, colors=line_colors(3, 0))


class TestColors:
    def test_seed(self) -> None:
        first, again, other, wrapped = (line_colors(9, seed) for seed in (3, 3, 4, 3 + 2**32))
        assert (first == again).all() and (first == wrapped).all() and (first != other).any()
        line_colors(9, 2**64 - 1)

    def test_a_match_keeps_its_colour(self) -> None:
        lines = torch.rand(2, 9, 2, 2, generator=torch.Generator().manual_seed(0)) * 60
        matches = LineMatches(*lines, size=(64, 64))
        kept = torch.tensor([0, 1, 0, 0, 1, 1, 0, 0, 0], dtype=torch.bool)
        colors = match_colors(matches, 3)
        assert (colors == line_colors(9, 3)).all()
        assert (match_colors(select_matches(matches, kept), 3) == colors[kept]).all()
        assert match_colors(select_matches(matches, torch.zeros(9).bool()), 3).shape == (0, 3)

    def test_larger_ids_than_colours(self) -> None:
        lines, ids = torch.zeros(2, 2, 2, 2), torch.tensor([1, 7])
        matches = LineMatches(*lines, size=(64, 64), ids=ids, num_matched=3)
        assert (match_colors(matches, 3) == line_colors(3, 3)[[1, 1]]).all()
