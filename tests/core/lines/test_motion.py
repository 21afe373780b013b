"""Two frames -> the motions between them."""

import cv2
import numpy as np
import pytest

from fcvg_core.frames import to_gray
from fcvg_core.lines.motion import (
    Motion,
    apply_homography,
    find_motions,
    fit_homography,
    is_plausible,
    match_keypoints,
)
from fcvg_core.standalone.demo.scene import camera_move, draw_scene

SIZE = (240, 320)


def test_apply_homography_by_hand() -> None:
    matrix = np.array([[2.0, 0, 1], [0, 2, 0], [0, 0.1, 1]])
    assert np.allclose(apply_homography(matrix, np.array([[3.0, 10.0]])), [[3.5, 10.0]])


def test_first_motion_is_the_camera() -> None:
    truth = camera_move(SIZE, angle=10.0)
    frames = [to_gray(draw_scene(0, SIZE, matrix)) for matrix in (None, truth)]
    first, with_flow, *_ = find_motions(*frames)
    points = np.array([[60.0, 60.0], [250.0, 70.0], [160.0, 180.0]])
    assert np.abs(first.carry(points) - apply_homography(truth, points)).max() < 1.5
    assert first.flow is None and with_flow.flow.shape == (*SIZE, 2)
    assert first.trust > with_flow.trust


def test_blank_frames_stand_still() -> None:
    blank = np.full(SIZE, 90, np.uint8)
    (motion,) = find_motions(blank, blank)
    points = np.array([[10.0, 20.0]])
    assert np.abs(motion.carry(points) - points).max() < 0.1
    assert match_keypoints(blank, blank)[0].shape == (0, 2)


def test_other_motions_hold_near_their_anchors() -> None:
    motion = Motion(np.eye(3), anchors=np.array([[10.0, 10.0]]))
    assert motion.holds(np.array([[12.0, 10.0], [300.0, 10.0]])).tolist() == [True, False]
    assert motion.trust < Motion(np.eye(3)).trust


def test_long_flow_does_not_hold() -> None:
    flow = np.zeros((*SIZE, 2), np.float32)
    flow[:, 160:] = 100
    motion = Motion(np.eye(3), flow)
    assert motion.holds(np.array([[20.0, 20.0], [300.0, 20.0]])).tolist() == [True, False]


@pytest.mark.parametrize("seed", [1, 12345])
def test_opencvs_random_numbers_are_left_to_others(seed: int) -> None:
    """They are the process's: they neither change what is found, nor are they used up here."""
    frames = [to_gray(draw_scene(0, SIZE, matrix)) for matrix in (None, camera_move(SIZE))]
    expected = [motion.homography for motion in find_motions(*frames)]
    cv2.setRNGSeed(seed)
    following = cv2.randu(np.zeros((2, 8)), 0, 1).copy()
    cv2.setRNGSeed(seed)
    found = [motion.homography for motion in find_motions(*frames)]
    assert np.array_equal(cv2.randu(np.zeros((2, 8)), 0, 1), following)
    assert len(found) > 1 and np.array_equal(found, expected)


class TestFitHomography:
    def grid(self, count: int) -> np.ndarray:
        return np.random.RandomState(0).uniform(0, 300, (count, 2))

    @pytest.mark.parametrize("count", [0, 3, 5])
    def test_too_few(self, count: int) -> None:
        assert fit_homography(self.grid(count), self.grid(count)) is None

    def test_few_make_a_similarity(self) -> None:
        points = self.grid(8)
        truth = camera_move(SIZE, tilt=(0.0, 0.0))
        found = fit_homography(points, apply_homography(truth, points))
        assert np.allclose(found, truth, atol=1e-3)

    def test_mirror_is_refused(self) -> None:
        points = self.grid(60)
        assert fit_homography(points, points * (-1, 1)) is None

    def test_points_behind_the_camera_are_refused(self) -> None:
        """The third coordinate is 1 - x / 100. Behind the camera a mirror does not mirror."""
        points = self.grid(20) / 15  # 0..20
        plain, mirror = (np.array([[sign, 0, 0], [0, 1, 0], [-0.01, 0, 1]]) for sign in (1.0, -1.0))
        assert is_plausible(plain, points) and not is_plausible(mirror, points)
        assert not is_plausible(mirror, points + (200, 0))
