"""Lines, people and pictures whose motion is known, for the tests of the preview."""

import cv2
import numpy as np
import torch

from fcvg_core.lines import LineMatches
from fcvg_core.lines.motion import apply_homography
from fcvg_core.pose import Poses
from fcvg_core.pose.skeleton import NUM_POINTS


def matches_of(lines0, lines1, size: tuple[int, int]) -> LineMatches:
    """Matches from two [N, 2, 2] of any kind."""
    both = (torch.tensor(np.asarray(lines), dtype=torch.float32) for lines in (lines0, lines1))
    return LineMatches(*both, size=size)


def random_lines(count: int, size: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Lines of 20 to 60 pixels whose middles lie in the frame: [N, 2, 2]."""
    random = np.random.default_rng(seed)
    middles = random.uniform(0, 1, (count, 1, 2)) * size[::-1]
    angle = random.uniform(0, 2 * np.pi, (count, 1))
    half = random.uniform(10, 30, (count, 1)) * np.concatenate([np.cos(angle), np.sin(angle)], 1)
    return middles + np.stack([-half, half], axis=1)


def moved_by(homography: np.ndarray, lines: np.ndarray, size: tuple[int, int]) -> LineMatches:
    """Lines, and where a homography moves them."""
    return matches_of(lines, apply_homography(homography, lines), size)


def shift(x: float, y: float) -> np.ndarray:
    """Homography that shifts everything."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def texture(size: tuple[int, int], seed: int = 0, sigma: float = 2.0) -> np.ndarray:
    """Smooth noise with much contrast: [h, w] uint8, 10..245."""
    noise = np.random.default_rng(seed).normal(size=size).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), sigma)
    return np.rint(127.5 + 40 * noise / noise.std()).clip(10, 245).astype(np.uint8)


def colored(gray: np.ndarray) -> np.ndarray:
    """A grey picture [h, w] as a frame [h, w, 3]."""
    return np.repeat(gray[..., None], 3, axis=-1)


def person(joints: dict[int, tuple[float, float]]) -> Poses:
    """One person, of whom these joints are seen: (x, y) in 0..1."""
    keypoints = torch.zeros(1, NUM_POINTS, 2, dtype=torch.float64)
    scores = torch.zeros(1, NUM_POINTS, dtype=torch.float64)
    for joint, place in joints.items():
        keypoints[0, joint] = torch.tensor(place, dtype=torch.float64)
        scores[0, joint] = 1
    return Poses(keypoints, scores)


def psnr(frame: np.ndarray, truth: np.ndarray) -> float:
    """Likeness of two uint8 frames in dB, at most 100."""
    return float(-10 * np.log10(((frame / 255.0 - truth / 255.0) ** 2).mean() + 1e-10))
