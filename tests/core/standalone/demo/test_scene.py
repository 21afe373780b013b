"""The sample frames."""

import cv2
import numpy as np
import pytest

from fcvg_core.lines import ClassicLineMatcher
from fcvg_core.standalone.demo.scene import (
    camera_move,
    draw_sample_middle,
    draw_sample_pair,
    draw_scene,
)


class TestDrawScene:
    @pytest.mark.parametrize("size", [(64, 64), (96, 200), (200, 97)])
    def test_shape(self, size: tuple[int, int]) -> None:
        frame = draw_scene(0, size)
        assert frame.shape == (*size, 3) and frame.dtype == np.uint8

    def test_seed(self) -> None:
        assert (draw_scene(1, (96, 160)) == draw_scene(1, (96, 160))).all()
        assert (draw_scene(1, (96, 160)) != draw_scene(2, (96, 160))).any()

    def test_homography_moves_the_same_town(self) -> None:
        size = (240, 320)
        matrix = camera_move(size, angle=8.0)
        still, moved = draw_scene(4, size), draw_scene(4, size, matrix)
        warped = cv2.warpPerspective(still, matrix, size[::-1], borderValue=(0, 0, 0))
        seen = cv2.warpPerspective(np.ones(size, np.uint8), matrix, size[::-1]) > 0
        inside = cv2.erode(seen.astype(np.uint8), np.ones((5, 5))) > 0
        blurred = [cv2.GaussianBlur(x, (0, 0), 2).astype(float) for x in (warped, moved)]
        assert np.abs(blurred[0] - blurred[1])[inside].mean() < 3

    @pytest.mark.parametrize("angle", [-20.0, 20.0])
    def test_no_black_border(self, angle: float) -> None:
        size = (160, 256)
        matrix = camera_move(size, angle=angle, scale=0.8, shift=(0.15, -0.15))
        frame = draw_scene(0, size, matrix).max(axis=-1)
        for edge in (frame[0], frame[-1], frame[:, 0], frame[:, -1]):
            assert edge.min() > 8


class TestCameraMove:
    def test_center_shift(self) -> None:
        matrix = camera_move((101, 201), angle=0.0, scale=2.0, shift=(0.1, 0.0), tilt=(0.0, 0.0))
        moved = matrix @ (100, 50, 1)
        assert np.allclose(moved, (120.1, 50, 1))

    def test_tilt_makes_the_right_edge_larger(self) -> None:
        matrix = camera_move((100, 100), angle=0.0, scale=1.0, shift=(0.0, 0.0), tilt=(0.2, 0.0))
        corners = np.float64([[[0, 0], [0, 99], [99, 0], [99, 99]]])
        left0, left1, right0, right1 = cv2.perspectiveTransform(corners, matrix)[0]
        assert right1[1] - right0[1] > 1.1 * (left1[1] - left0[1])


def test_sample_pair() -> None:
    first, last = draw_sample_pair((120, 200))
    assert first.shape == last.shape == (120, 200, 3)
    assert (first != last).any()


def test_sample_middle() -> None:
    """Nearer to both ends than they are to each other: the same town, half-way."""
    first, last = draw_sample_pair((120, 200))
    middle = draw_sample_middle((120, 200))

    def apart(a: np.ndarray, b: np.ndarray) -> float:
        matches = ClassicLineMatcher()(a, b)
        return float((matches.lines0 - matches.lines1).norm(dim=-1).median())

    whole, parts = apart(first, last), (apart(first, middle), apart(middle, last))
    assert all(0.35 * whole < part < 0.65 * whole for part in parts)
