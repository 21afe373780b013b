"""How much of a frame lines or people reach."""

import numpy as np
import pytest

from fcvg_core.coverage import PARTS, count_parts


def black(*shape: int, dtype=np.uint8) -> np.ndarray:
    return np.zeros((*shape, 3), dtype)


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ((0, 0), 1),
        ((slice(None), 1), 4),  # a line from top to bottom
        (slice(2), 4),  # the upper row of parts, whole
        ((slice(3, 5), slice(3, 5)), 4),  # the middle, where four parts meet
    ],
)
def test_parts_that_show_something(where, count) -> None:
    frame = black(8, 8)
    frame[where] = 255
    assert count_parts(frame) == count


@pytest.mark.parametrize("size", [(4, 4), (7, 9), (63, 130)])
def test_any_size_has_all_parts(size) -> None:
    assert count_parts(np.full((*size, 3), 255, np.uint8)) == PARTS
    assert count_parts(black(*size)) == 0


def test_a_corner_at_the_end_of_a_frame_that_four_does_not_divide() -> None:
    frame = black(7, 9)
    frame[-1, -1] = 255
    assert count_parts(frame) == 1


def test_a_frame_of_one_pixel() -> None:
    assert count_parts(black(1, 1) + np.uint8(255)) == 1


def test_floating_point_and_one_colour() -> None:
    frame = black(8, 8, dtype=np.float32)
    frame[3:5, 3:5, 2] = 0.5
    assert count_parts(frame) == 4


def test_noise_of_a_video_is_black() -> None:
    frame = black(8, 8) + np.uint8(12)
    assert count_parts(frame) == count_parts(frame / np.float32(255)) == 0
