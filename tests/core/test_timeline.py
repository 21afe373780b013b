"""Times of the frames between two keyframes."""

import numpy as np
import pytest
import torch

from fcvg_core.timeline import inbetween_times


@pytest.mark.parametrize(
    ("num_frames", "expected"),
    [(2, [0, 1]), (3, [0, 0.5, 1]), (4, [0, 0, 1, 1]), (5, [0, 0, 0.5, 1, 1])],
)
def test_by_hand(num_frames: int, expected: list[float]) -> None:
    times = inbetween_times(num_frames)
    assert times.tolist() == expected and times.dtype == torch.float32


def test_the_reference_rule() -> None:
    expected = [0] + [np.float32(k / 22) for k in range(23)] + [1]
    assert inbetween_times(25).tolist() == expected


@pytest.mark.parametrize("num_frames", [1, 0, -3])
def test_error(num_frames: int) -> None:
    with pytest.raises(ValueError, match=f"at least 2 frames .* got {num_frames}"):
        inbetween_times(num_frames)
