"""Values at several keyframes, in every frame."""

import numpy as np
import pytest
import torch

from fcvg_core.motion.keyframes import whole_times
from fcvg_core.motion.smooth import smooth_ways

AT = (0, 7, 30, 41)
VALUES = torch.rand(4, 5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) / 3
ALL = torch.ones(3, 5, dtype=torch.bool)


@pytest.mark.parametrize("timing", ["uniform", "reference", "ease-in-out"])
def test_exact_at_keyframes_and_never_beyond_them(timing) -> None:
    ways = smooth_ways(VALUES, ALL, AT, whole_times(AT, timing))
    assert ways.shape == (42, 5, 2) and ways.dtype == torch.float64
    assert torch.equal(ways[list(AT)], VALUES)
    for i, (begin, end) in enumerate(zip(AT, AT[1:], strict=False)):
        low, high = VALUES[i : i + 2].amin(0), VALUES[i : i + 2].amax(0)
        part = ways[begin : end + 1]
        assert (part >= low - 1e-12).all() and (part <= high + 1e-12).all()


def test_the_speed_does_not_jump() -> None:
    """In frames twice as dense the largest change of the speed at a keyframe is half as large."""
    jumps = []
    for density in (8, 16):
        at = [density * frame for frame in AT]
        ways = smooth_ways(VALUES, ALL, at, whole_times(at, "uniform")) * density
        jumps.append(ways.diff(n=2, dim=0)[[frame - 1 for frame in at[1:-1]]].abs().max().item())
    assert jumps[1] == pytest.approx(jumps[0] / 2, rel=0.2)


def test_straight_where_one_span_moves() -> None:
    moves = torch.tensor([[False], [True], [False]])
    ways = smooth_ways(VALUES[:, :1], moves, AT, whole_times(AT, "uniform"))
    assert ways[:7].isnan().all() and ways[31:].isnan().all()
    parts = torch.linspace(0, 1, 24, dtype=torch.float64)[:, None]
    assert torch.allclose(ways[7:31, 0], torch.lerp(VALUES[1, 0], VALUES[2, 0], parts))


def test_values_that_are_not_known_do_not_move() -> None:
    values = VALUES.clone()
    values[1, 2, 0] = np.nan
    ways = smooth_ways(values, ALL, AT, whole_times(AT, "uniform"))
    assert ways[:30, 2].isnan().all() and ways[30:, 2].isfinite().all()
    assert torch.equal(ways[:, :2], smooth_ways(VALUES, ALL, AT, whole_times(AT, "uniform"))[:, :2])
