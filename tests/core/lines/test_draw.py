"""Line tracks -> frames, pixel by pixel as the official code draws them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from golden_cases import load_arrays

from fcvg_core.lines.draw import draw_lines, husl_palette, line_colors


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
        frames = draw_lines(track, size, line_width=1, seed=seed)
        assert (frames[case["image_frames"]] == case["images"]).all()
        wide = draw_lines(track[:1], size, line_width=2, seed=seed)
        assert (wide[0] == case["image0_lw2"]).all()

    def test_by_hand(self) -> None:
        track = torch.tensor([[[[1.9, 2.2], [4.7, 2.9]]]])
        frame = draw_lines(track, (5, 8), line_width=1, seed=0)[0]
        rows, columns = np.nonzero(frame.any(axis=-1))
        assert rows.tolist() == [2] * 4 and columns.tolist() == [1, 2, 3, 4]  # truncated
        assert frame[2, 1].tolist() == [136, 112, 246]  # the palette's red and blue swapped

    def test_no_lines(self) -> None:
        frames = draw_lines(torch.zeros(2, 0, 2, 2), (64, 96), line_width=1, seed=0)
        assert frames.shape == (2, 64, 96, 3) and frames.dtype == np.uint8 and not frames.any()

    @pytest.mark.parametrize("line_width", [1, 32])
    @pytest.mark.parametrize("far", [-70.0, 1e5, 1e12, 1e38, float("inf"), float("nan")])
    def test_far_outside(self, far: float, line_width: int) -> None:
        """Only the first line shows: the piece from (5, 5) into the corner."""
        track = torch.tensor([[[[far, -far], [5, 5]], [[far, far], [2 * far, far]]]])
        frames = draw_lines(track, (64, 64), line_width=line_width, seed=0)
        rows, columns = np.nonzero(frames[0].any(axis=-1))
        assert bool(frames[0, 5, 5].any()) == (len(rows) > 0) == np.isfinite(far)
        if len(rows):
            assert len(np.unique(frames[0][rows, columns], axis=0)) == 1
            if far < 0:
                rows, columns = columns, rows
            assert columns.min() >= 5 - line_width and rows.max() <= 5 + line_width

    def test_seed(self) -> None:
        track = torch.rand(1, 9, 2, 2, generator=torch.Generator().manual_seed(0)) * 60
        first, again, other, wrapped = (
            draw_lines(track, (64, 64), line_width=1, seed=seed) for seed in (3, 3, 4, 3 + 2**32)
        )
        assert (first == again).all() and (first == wrapped).all() and (first != other).any()
        draw_lines(track, (64, 64), line_width=1, seed=2**64 - 1)

    def test_errors(self) -> None:
        with pytest.raises(ValueError, match=r"expected a track \[T, N, 2, 2\], got \[4, 2, 2\]"):
            draw_lines(torch.zeros(4, 2, 2), (64, 64), line_width=1, seed=0)
        with pytest.raises(ValueError, match="at least 1 pixel, got 0"):
            draw_lines(torch.zeros(1, 4, 2, 2), (64, 64), line_width=0, seed=0)
