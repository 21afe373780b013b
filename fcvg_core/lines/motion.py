"""Two grey frames -> the few motions that carry pixels of the first frame into the second frame.

A motion is a homography, of the camera or of an object that moves by itself. A dense optical
flow can be added to it, for parts of the scene that are not flat or not rigid.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

MAX_KEYPOINTS = 4000
MIN_CONTRAST = 0.015  # SIFT's threshold; OpenCV's 0.04 finds almost no keypoints in drawn frames
MAX_RATIO = 0.85  # largest distance of the best match / the second-best match (Lowe: 0.8)
MAX_MOTIONS = 4
MIN_VOTES = 10  # keypoint matches that must agree with a homography
MIN_SIMILAR_VOTES = 6  # keypoint matches that must agree with a motion without perspective
MAX_ERROR = 3.0  # pixels; a match agrees with a motion if it lies within this distance
MAX_TRIES, CONFIDENCE = 5000, 0.9999  # settings of RANSAC
NEAR = 48.0  # pixels; an object's motion holds within this distance of its keypoints
MAX_ZOOM = 4.0  # a homography that zooms more is a failed fit, not a camera move
FLOW_TRUST = 0.9  # weight of a motion with flow, because flow slides along edges
OTHER_TRUST = 0.8  # weight of an object's motion; the camera's motion has weight 1
MAX_RESIDUE = 0.08  # longest flow added to a homography, as a fraction of the longer side


@dataclass(frozen=True, eq=False)
class Motion:
    """Common motion of pixels from the first frame to the second frame.

    Attributes:
        homography: [3, 3] float64, maps pixels (x, y) of the first frame to the second frame.
        flow: [H, W, 2] float32, pixels; added in the first frame, before the homography.
            None: no flow is added.
        anchors: [M, 2] pixels of the first frame; the motion holds near them. None: it holds
            everywhere.
    """

    homography: np.ndarray
    flow: np.ndarray | None = None
    anchors: np.ndarray | None = None

    @property
    def trust(self) -> float:
        """Weight of matches found with this motion, 0..1."""
        rigid = 1.0 if self.flow is None else FLOW_TRUST
        return rigid if self.anchors is None else rigid * OTHER_TRUST

    def carry(self, points: np.ndarray) -> np.ndarray:
        """Move points (x, y) of the first frame to the second frame: [..., 2] -> [..., 2]."""
        return apply_homography(self.homography, points + self.residue(points))

    def holds(self, points: np.ndarray) -> np.ndarray:
        """Whether points (x, y) of the first frame may follow this motion: [..., 2] -> [...]."""
        near = np.full(points.shape[:-1], True)
        if self.anchors is not None:
            near = cKDTree(self.anchors).query(points)[0] <= NEAR
        if self.flow is None:
            return near
        longest = MAX_RESIDUE * max(self.flow.shape[:2])
        return near & (np.linalg.norm(self.residue(points), axis=-1) <= longest)

    def residue(self, points: np.ndarray) -> np.ndarray:
        """The flow at points (x, y): [..., 2] -> [..., 2]."""
        if self.flow is None:
            return np.zeros_like(points)
        return np.stack([sample(self.flow[..., i], points) for i in (0, 1)], axis=-1)


def find_motions(gray0: np.ndarray, gray1: np.ndarray) -> Iterator[Motion]:
    """The motions between two frames: first the camera's, then the motions of objects.

    Most keypoint matches agree with the camera's motion. Each further motion is fitted to the
    matches that agree with no motion before it, and holds only near its own matches.

    Args:
        gray0, gray1: [H, W] uint8 of one size.

    Yields:
        Each homography twice: alone, and with the optical flow that remains after it. If too
        few keypoints match for a homography: one motion, the optical flow alone.
    """
    points0, points1 = match_keypoints(gray0, gray1)
    homography = fit_homography(points0, points1)  # the camera's motion
    if homography is None:
        yield Motion(np.eye(3), residual_flow(gray0, gray1, np.eye(3)))
        return
    yield Motion(homography)
    yield Motion(homography, residual_flow(gray0, gray1, homography))
    for _ in range(MAX_MOTIONS - 1):
        others = match_errors(homography, points0, points1) > 2 * MAX_ERROR
        points0, points1 = points0[others], points1[others]
        homography = fit_homography(points0, points1)
        if homography is None:
            return
        anchors = points0[match_errors(homography, points0, points1) <= MAX_ERROR]
        yield Motion(homography, anchors=anchors)
        yield Motion(homography, residual_flow(gray0, gray1, homography), anchors)


def match_errors(homography: np.ndarray, points0: np.ndarray, points1: np.ndarray) -> np.ndarray:
    """Distance of each moved point from its match, in pixels: two [M, 2] -> [M]."""
    return np.linalg.norm(apply_homography(homography, points0) - points1, axis=-1)


def match_keypoints(gray0: np.ndarray, gray1: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """SIFT keypoints that both frames show: two [M, 2] in pixels, M >= 0."""
    points0, descriptors0 = sift_keypoints(gray0)
    points1, descriptors1 = sift_keypoints(gray1)
    if len(points0) < 2 or len(points1) < 2:
        return np.zeros((0, 2)), np.zeros((0, 2))
    likeness = descriptors0 @ descriptors1.T
    best = likeness.argmax(axis=1)
    rows = np.arange(len(best))
    mutual = likeness.argmax(axis=0)[best] == rows
    first = likeness[rows, best]
    likeness[rows, best] = -1
    second = likeness.max(axis=1)
    # Distances of unit vectors: |a - b|^2 = 2 - 2ab.
    clear = (1 - first) < MAX_RATIO**2 * (1 - second)
    kept = mutual & clear
    return points0[kept], points1[best[kept]]


def sift_keypoints(gray: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """SIFT keypoints [M, 2] in pixels and RootSIFT descriptors [M, 128] of length 1."""
    sift = cv2.SIFT_create(nfeatures=MAX_KEYPOINTS, contrastThreshold=MIN_CONTRAST)
    keypoints, descriptors = sift.detectAndCompute(gray, None)
    if not keypoints:
        return np.zeros((0, 2)), np.zeros((0, 128), np.float32)
    root = np.sqrt(descriptors / (descriptors.sum(axis=1, keepdims=True) + 1e-8))
    return np.array([point.pt for point in keypoints]), root


def fit_homography(points0: np.ndarray, points1: np.ndarray) -> np.ndarray | None:
    """Homography that most matches agree with, or None: two [M, 2] -> [3, 3]."""
    for fit, min_votes in ((fit_perspective, MIN_VOTES), (fit_similarity, MIN_SIMILAR_VOTES)):
        if len(points0) < min_votes:
            continue
        matrix = fit(points0, points1, MAX_ERROR)
        if matrix is None:
            continue
        votes = match_errors(matrix, points0, points1) <= MAX_ERROR
        if votes.sum() >= min_votes and is_plausible(matrix, points0[votes]):
            return matrix
    return None


def fit_perspective(
    points0: np.ndarray, points1: np.ndarray, max_error: float
) -> np.ndarray | None:
    """Homography between matches, or None: two [M, 2] -> [3, 3]; `max_error` is in pixels."""
    return cv2.findHomography(
        points0, points1, cv2.USAC_MAGSAC, max_error, maxIters=MAX_TRIES, confidence=CONFIDENCE
    )[0]


def fit_similarity(points0: np.ndarray, points1: np.ndarray, max_error: float) -> np.ndarray | None:
    """Rotation, zoom and shift between matches, or None: two [M, 2] -> [3, 3]."""
    matrix, _ = cv2.estimateAffinePartial2D(
        points0,
        points1,
        ransacReprojThreshold=max_error,
        maxIters=MAX_TRIES,
        confidence=CONFIDENCE,
    )
    return None if matrix is None else np.vstack([matrix, [0, 0, 1]])


def is_plausible(homography: np.ndarray, points: np.ndarray) -> bool:
    """Whether a homography around points [M, 2] does not mirror, fold or zoom too much."""
    low, high = points.min(axis=0) - 1, points.max(axis=0) + 1
    corners = np.array([low, (high[0], low[1]), high, (low[0], high[1])])
    if (corners @ homography[2, :2] + homography[2, 2]).min() <= 0:
        return False
    moved = apply_homography(homography, corners)
    before, after = (cv2.contourArea(np.float32(x), oriented=True) for x in (corners, moved))
    return 1 / MAX_ZOOM**2 < after / before < MAX_ZOOM**2


def residual_flow(gray0: np.ndarray, gray1: np.ndarray, homography: np.ndarray) -> np.ndarray:
    """Optical flow from the first frame to the second frame warped back: [H, W, 2] pixels."""
    back = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpPerspective(
        gray1, homography, gray0.shape[::-1], flags=back, borderMode=cv2.BORDER_REPLICATE
    )
    solver = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return solver.calc(gray0, warped, None)


def apply_homography(homography: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Move points (x, y) by a homography: [..., 2] -> [..., 2]."""
    moved = points @ homography[:, :2].T + homography[:, 2]
    return moved[..., :2] / moved[..., 2:]


def sample(plane: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Interpolated values of a plane [H, W] at points (x, y): [..., 2] -> [...]."""
    rows_columns = np.moveaxis(points[..., ::-1], -1, 0)
    return map_coordinates(plane, rows_columns, np.float32, order=1, mode="nearest")
