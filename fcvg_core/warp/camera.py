"""Matched points -> the motion that most lines share: the camera's."""

import cv2
import numpy as np

from ..lines.motion import apply_homography, fit_perspective, fit_similarity

TOLERANCE = 0.008  # of the diagonal; a point follows a motion if it lies within this distance
MIN_SHARE = 0.35  # of the lines that must follow the motion
HOMOGRAPHY_LINES, SIMILARITY_LINES = 12, 4  # number of lines that must follow such a motion
MAX_ZOOM = 2.0  # of a whole frame; a larger zoom is a failed fit
MAX_WAY = 0.6  # longest way of a corner, of the diagonal
MIN_DEPTH = 0.2  # smallest divisor of a homography; near 0 a corner flies to infinity
STEPS = 6  # until the middle is found: mostly to a hundredth of a pixel, at worst to TOLERANCE


def fit_camera(
    start: np.ndarray, end: np.ndarray, line: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """Motion that most lines share: [3, 3] float64, maps the first keyframe to the last.

    The richest motion wins that enough lines follow and that is plausible for a whole frame: a
    homography, a motion without perspective, the median shift. Otherwise nothing moves.

    Args:
        start, end: [M, 2] pixels, points on matched lines in the first and in the last keyframe.
        line: [M] number of the line that each point lies on, from 0 on.
        size: (height, width) of the keyframes, in pixels.
    """
    tolerance = TOLERANCE * float(np.hypot(*size))
    num_lines = int(line.max(initial=-1)) + 1
    for least, fit in (
        (HOMOGRAPHY_LINES, fit_perspective),
        (SIMILARITY_LINES, fit_similarity),
        (1, _fit_shift),
    ):
        if num_lines < least:
            continue
        motion = fit(start, end, tolerance / 2)
        if motion is None or not is_plausible(motion, size):
            continue
        follows = np.linalg.norm(apply_homography(motion, start) - end, axis=1) < tolerance
        points = np.bincount(line, minlength=num_lines)
        votes = (np.bincount(line, follows, num_lines) > 0.5 * points).sum()
        if votes >= max(least, MIN_SHARE * num_lines):
            return motion
    return np.eye(3)


def is_plausible(motion: np.ndarray, size: tuple[int, int]) -> bool:
    """Whether a homography neither folds, mirrors, nor moves or zooms a whole frame too much.

    For the corners of the frame half-way, `half_way` must find the way: otherwise the frame folds.
    """
    height, width = size
    corners = np.float64([(0, 0), (width, 0), (width, height), (0, height)])
    if (corners @ motion[2, :2] + motion[2, 2]).min() <= MIN_DEPTH:
        return False
    moved = apply_homography(motion, corners)
    zoom = cv2.contourArea(np.float32(moved), oriented=True) / (width * height)
    way = np.linalg.norm(moved - corners, axis=1).max()
    half = half_way(motion, corners)
    missed = np.linalg.norm(apply_homography(motion, corners - half) - (corners + half), axis=1)
    return bool(
        MAX_ZOOM**-2 < zoom < MAX_ZOOM**2
        and way < MAX_WAY * np.hypot(height, width)
        and missed.max() < TOLERANCE * np.hypot(height, width)
    )


def half_way(motion: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """Half of the way from the first keyframe to the last, for points half-way: [..., 2] pixels.

    A point p of the middle frame was at p - h in the first keyframe and is at p + h in the last,
    which is where the motion carries p - h.
    """
    middles = np.float64(middles)
    start = middles
    for _ in range(STEPS):
        start = start + middles - (start + apply_homography(motion, start)) / 2
    return middles - start


def _fit_shift(start: np.ndarray, end: np.ndarray, tolerance: float) -> np.ndarray:
    shift = np.eye(3)
    shift[:2, 2] = np.median(end - start, axis=0)
    return shift
