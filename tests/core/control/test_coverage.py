"""How much of the picture control frames reach."""

import numpy as np
import pytest

from fcvg_core.control import PARTS, count_parts


def black(*shape: int, dtype=np.uint8) -> np.ndarray:
    return np.zeros((*shape, 3), dtype)


def test_first_middle_and_last_frame() -> None:
    frames = black(5, 8, 8)
    frames[0, 0, 0] = 255  # one part
    frames[1] = 255  # not looked at
    frames[2, :, 1] = 255  # a line from top to bottom
    frames[4, :2] = 255  # the upper row of parts, whole
    assert count_parts(frames) == [1, 4, 4]


@pytest.mark.parametrize("size", [(4, 4), (7, 9), (63, 130)])
def test_any_size_has_all_parts(size) -> None:
    assert count_parts(np.full((2, *size, 3), 255, np.uint8)) == [PARTS] * 3
    assert count_parts(black(2, *size)) == [0, 0, 0]


def test_a_corner_at_the_end_of_a_picture_that_four_does_not_divide() -> None:
    frames = black(1, 7, 9)
    frames[0, -1, -1] = 255
    assert count_parts(frames) == [1, 1, 1]


def test_floating_point_and_one_colour() -> None:
    frames = black(3, 8, 8, dtype=np.float32)
    frames[:, 3:5, 3:5, 2] = 0.5  # the middle, where four parts meet
    assert count_parts(frames) == [4, 4, 4]


def test_noise_of_a_video_is_black() -> None:
    frames = black(3, 8, 8) + np.uint8(12)
    assert count_parts(frames) == count_parts(frames / np.float32(255)) == [0, 0, 0]
