"""Inside and outside of polygons."""

import numpy as np
import pytest

from fcvg_core.motion import Region

SQUARE = Region(0, [[2, 1], [8, 1], [8, 6], [2, 6]])


def test_inside_and_outside() -> None:
    points = [[5, 3], [1, 3], [9, 3], [5, 0], [5, 7], [2.5, 1.5]]
    assert SQUARE.contains(points).tolist() == [True, False, False, False, False, True]
    assert SQUARE.contains([5, 3]).item() and not SQUARE.contains([[[0, 0]]]).any()


def test_corners_in_either_direction() -> None:
    points = np.random.RandomState(0).rand(200, 2) * 10
    turned = Region(0, SQUARE.points[::-1])
    assert np.array_equal(SQUARE.contains(points), turned.contains(points))


def test_a_border_that_crosses_itself_has_a_hole() -> None:
    turns = 4 * np.pi / 5 * np.arange(5)
    star = 50 + 40 * np.stack([np.sin(turns), -np.cos(turns)], axis=1)
    inside = Region(0, star).contains([[50, 50], [50, 20], [95, 50]])
    assert inside.tolist() == [False, True, False]


def test_points_that_are_no_numbers_lie_outside() -> None:
    with np.errstate(all="raise"):
        assert not SQUARE.contains([[np.nan, 3], [5, np.inf], [-np.inf, 3]]).any()


@pytest.mark.parametrize("seed", range(5))
def test_the_mask_is_the_inside_at_the_middle_of_each_pixel(seed) -> None:
    corners = np.random.RandomState(seed).rand(7, 2) * (60, 40) - 5
    region = Region(0, corners)
    rows, columns = np.indices((32, 48)) + 0.5
    expected = region.contains(np.stack([columns, rows], axis=-1))
    assert expected.any() and np.array_equal(region.mask((32, 48)), expected)


def test_a_square_has_its_area() -> None:
    assert SQUARE.mask((10, 10)).sum() == 30 and not SQUARE.mask((10, 10))[:, :2].any()


@pytest.mark.parametrize("points", [[[0, 0], [1, 1]], [], [[0, 0, 0]] * 3])
def test_too_few_corners(points) -> None:
    with pytest.raises(ValueError, match=r"at least 3 corners \[M, 2\], got "):
        Region(0, points)
