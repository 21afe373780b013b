"""Matched points -> the camera's motion."""

import numpy as np
import pytest
from warp_cases import shift

from fcvg_core.lines.motion import apply_homography
from fcvg_core.standalone.demo.scene import camera_move
from fcvg_core.warp.camera import fit_camera, half_way, is_plausible

SIZE = (144, 256)
CORNERS = np.float64([(0, 0), (255, 0), (255, 143), (0, 143)])
POINTS = 5  # on each line
TURN = camera_move(SIZE, tilt=(0.0, 0.0))
TILT = camera_move(SIZE, tilt=(0.25, -0.1))


def lines(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points on lines [M, 2], and the number of the line that each point lies on."""
    random = np.random.default_rng(seed)
    ends = random.uniform(0, 1, (count, 2, 1, 2)) * SIZE[::-1]
    parts = np.linspace(0, 1, POINTS)[:, None]
    points = ends[:, 0] + (ends[:, 1] - ends[:, 0]) * parts
    return points.reshape(-1, 2), np.repeat(np.arange(count), POINTS)


def error(found: np.ndarray, truth: np.ndarray) -> float:
    """Largest distance between two motions in the frame, in pixels."""
    apart = apply_homography(found, CORNERS) - apply_homography(truth, CORNERS)
    return float(np.linalg.norm(apart, axis=1).max())


class TestFitCamera:
    @pytest.mark.parametrize(
        ("count", "truth"), [(12, TILT), (12, TURN), (11, TURN), (4, TURN), (3, shift(5, -3))]
    )
    def test_known_motion(self, count: int, truth: np.ndarray) -> None:
        start, line = lines(count)
        assert error(fit_camera(start, apply_homography(truth, start), line, SIZE), truth) < 0.1

    def test_one_line_shifts(self) -> None:
        start, line = lines(1)
        assert np.allclose(fit_camera(start, start + (7, -2), line, SIZE), shift(7, -2))

    def test_few_lines_have_no_perspective(self) -> None:
        """Eleven lines, however exact, allow no homography."""
        start, line = lines(11)
        found = fit_camera(start, apply_homography(TILT, start), line, SIZE)
        assert found[2].tolist() == [0, 0, 1]

    def test_three_lines_do_not_turn(self) -> None:
        start, line = lines(3)
        found = fit_camera(start, apply_homography(camera_move(SIZE, angle=1.0), start), line, SIZE)
        assert np.allclose(found[:2, :2], np.eye(2))

    def test_no_line(self) -> None:
        none = np.zeros((0, 2))
        assert np.array_equal(fit_camera(none, none, np.zeros(0, int), SIZE), np.eye(3))

    @pytest.mark.parametrize(("count", "wrong"), [(40, 22), (20, 6)])
    def test_wrong_lines_do_not_vote(self, count: int, wrong: int) -> None:
        start, line = lines(count)
        end = apply_homography(TILT, start)
        moved = np.random.default_rng(1).uniform(15, 60, (wrong, 2)).repeat(POINTS, axis=0)
        end[: len(moved)] += moved
        assert error(fit_camera(start, end, line, SIZE), TILT) < 1.0

    def test_too_many_wrong_lines(self) -> None:
        """Fewer than a third of the lines agree: nothing moves."""
        start, line = lines(40)
        end = apply_homography(TILT, start)
        moved = np.random.default_rng(1).uniform(15, 60, (30, 2)).repeat(POINTS, axis=0)
        end[: len(moved)] += moved
        assert np.array_equal(fit_camera(start, end, line, SIZE), np.eye(3))

    def test_lines_vote_not_points(self) -> None:
        """One long line with most of the points is outvoted by three short lines."""
        start, line = lines(4)
        start = np.concatenate([start, np.random.default_rng(2).uniform(0, 140, (100, 2))])
        line = np.concatenate([line, np.full(100, 4)])
        end = start + np.where(line < 4, 0.0, 30.0)[:, None]
        found = fit_camera(start, end, line, SIZE)
        assert error(found, np.eye(3)) < 0.1

    def test_most_points_of_a_line_suffice(self) -> None:
        """One of five points on each line is in a wrong place."""
        start, line = lines(12)
        end = apply_homography(TILT, start)
        end[::POINTS] += np.random.default_rng(1).uniform(15, 60, (12, 2))
        assert error(fit_camera(start, end, line, SIZE), TILT) < 0.5

    def test_mirrored_lines(self) -> None:
        start, line = lines(20)
        found = fit_camera(start, start * (-1, 1) + (255, 0), line, SIZE)
        assert np.linalg.det(found[:2, :2]) > 0


class TestIsPlausible:
    @pytest.mark.parametrize(
        "motion",
        [np.eye(3), TURN, TILT, shift(100, 30), camera_move(SIZE, scale=1.6), camera_move(SIZE)],
    )
    def test_camera_moves(self, motion: np.ndarray) -> None:
        assert is_plausible(motion, SIZE) and is_plausible(np.linalg.inv(motion), SIZE)

    @pytest.mark.parametrize(
        ("motion", "why"),
        [
            (np.diag([-1, 1, 1.0]) + shift(255, 0) - np.eye(3), "mirrored"),
            (np.diag([2.1, 2.1, 1]), "zoomed in"),
            (np.diag([0.45, 0.45, 1]), "zoomed out"),
            (shift(180, 0), "gone"),
            (np.array([[1, 0, 0], [0, 1, 0], [-0.0035, 0, 1.0]]), "a corner far away"),
            (np.array([[1, 0, 0], [0, 1, 0], [-0.01, 0, 1.0]]), "a corner behind the camera"),
            (np.array([[0, -1, 200], [1, 0, -56], [0, 0, 1.0]]), "turned by 90 degrees"),
        ],
    )
    def test_failed_fits(self, motion: np.ndarray, why: str) -> None:
        assert not is_plausible(motion, SIZE), why


class TestHalfWay:
    @pytest.mark.parametrize("motion", [np.eye(3), shift(9, -4), TURN, TILT])
    def test_carries_the_first_to_the_last(self, motion: np.ndarray) -> None:
        middles = np.random.default_rng(0).uniform(0, 1, (50, 2)) * SIZE[::-1]
        half = half_way(motion, middles)
        apart = apply_homography(motion, middles - half) - (middles + half)
        assert np.abs(apart).max() < 0.01

    def test_shift_by_hand(self) -> None:
        assert np.allclose(half_way(shift(8, -2), np.float32([[3, 5], [90, 0]])), (4, -1))

    def test_zoom_by_hand(self) -> None:
        """Zoomed by 3/2 around 0, the point 10 comes from 8 and goes to 12."""
        assert np.allclose(half_way(np.diag([1.5, 1.5, 1]), np.array([[10.0, 5]])), [[2, 1]], 1e-2)

    def test_what_is_plausible_is_found(self) -> None:
        """Also for motions that no camera makes, but that wrong lines may agree with."""
        random = np.random.default_rng(0)
        plausible = 0
        for _ in range(300):
            motion = camera_move(
                SIZE,
                angle=random.uniform(-40, 40),
                scale=np.exp(random.uniform(-0.7, 0.7)),
                shift=tuple(random.uniform(-0.4, 0.4, 2)),
                tilt=tuple(random.uniform(-1, 1, 2)),
            )
            if is_plausible(motion, SIZE):
                plausible += 1
                half = half_way(motion, CORNERS)
                apart = apply_homography(motion, CORNERS - half) - (CORNERS + half)
                assert np.abs(apart).max() < 3
        assert plausible > 30
