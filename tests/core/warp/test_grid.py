"""Maps of coordinates."""

import cv2
import numpy as np
import pytest
from warp_cases import texture

from fcvg_core.warp.grid import blur, enlarge, follow, is_near, is_outside, look_up, pixel_grid


def test_pixel_grid_by_hand() -> None:
    grid = pixel_grid((2, 3))
    assert grid.dtype == np.float32
    assert grid.tolist() == [[[0, 0], [1, 0], [2, 0]], [[0, 1], [1, 1], [2, 1]]]


class TestLookUp:
    def test_pixels_stay(self) -> None:
        picture = texture((40, 50))
        for how in (cv2.INTER_LINEAR, cv2.INTER_CUBIC):
            assert np.array_equal(look_up(picture, pixel_grid((40, 50)), how), picture)

    def test_between_pixels_and_beyond_the_border(self) -> None:
        row = np.float32([[10, 20, 40]])
        places = np.float32([[(0.5, 0), (1.75, 0), (-3, 0), (9, 5)]])
        assert look_up(row, places).tolist() == [[15, 35, 10, 40]]

    def test_channels(self) -> None:
        picture = np.stack([texture((40, 50), seed) for seed in (0, 1)], axis=-1)
        assert np.array_equal(look_up(picture, pixel_grid((40, 50))), picture)


class TestFollow:
    def test_by_hand(self) -> None:
        """The first map shifts by 2; the second one stretches."""
        pixels = pixel_grid((4, 5))
        assert np.allclose(follow(pixels + 2, pixels * 1.5), pixels * 1.5 + 2)

    def test_uneven(self) -> None:
        places = pixel_grid((4, 5)) * np.float32([3, 1])
        found = follow(places, pixel_grid((4, 5)) + np.float32([0.5, 0]))
        assert np.allclose(found[0, :4, 0], [1.5, 4.5, 7.5, 10.5])

    def test_beyond_the_border(self) -> None:
        """Nothing is squeezed together at the border."""
        pixels = pixel_grid((4, 5))
        assert np.allclose(follow(pixels + 2, pixels - 7), pixels - 5)


def test_is_outside() -> None:
    """A pixel reaches half a pixel around its middle."""
    places = pixel_grid((3, 4))
    assert not is_outside(places).any()
    assert not is_outside(places + 0.45).any() and not is_outside(places - 0.45).any()
    assert is_outside(places + (0.6, 0)).sum(axis=0).tolist() == [0, 0, 0, 3]
    assert is_outside(places - (0, 0.6)).sum(axis=1).tolist() == [4, 0, 0]


def test_is_near() -> None:
    """A frame of 30 x 40 pixels has a diagonal of 50 pixels."""
    points = np.array([(20.0, 10), (-49, -49), (89, 79), (-51, 0), (0, 81), (91, 0)])
    assert is_near(points, (30, 40)).tolist() == [True, True, True, False, False, False]
    odd = np.array([(np.nan, 1), (1, np.inf), (-np.inf, 1)])
    assert not is_near(odd, (30, 40)).any()


def test_blur_keeps_what_is_even() -> None:
    assert np.allclose(blur(np.full((20, 30), 7), 5.0), 7, atol=1e-5)
    spot = np.zeros((41, 41))
    spot[20, 20] = 1
    blurred = blur(spot, 2.0)
    assert blurred.sum() == pytest.approx(1, abs=1e-5)
    assert blurred[20, 22] / blurred[20, 20] == pytest.approx(np.exp(-0.5), abs=1e-3)


class TestEnlarge:
    def test_nothing_moves(self) -> None:
        """Not even by a rounding error, so that a still frame stays sharp."""
        for size in ((60, 80), (61, 83), (31, 45)):
            assert np.array_equal(enlarge(pixel_grid((31, 45)), size), pixel_grid(size))

    def test_shift_grows_with_the_frame(self) -> None:
        moved = enlarge(pixel_grid((30, 40)) + np.float32([2, -1]), (60, 120))
        assert np.allclose(moved - pixel_grid((60, 120)), (6, -2), atol=1e-4)

    def test_same_size(self) -> None:
        places = pixel_grid((30, 40)) + 3
        assert np.array_equal(enlarge(places, (30, 40)), places)
