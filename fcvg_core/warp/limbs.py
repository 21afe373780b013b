"""People of two keyframes -> pairs of limbs, and the maps along which they move."""

import numpy as np
from torch import Tensor

from ..pose import Poses
from ..pose.skeleton import LIMBS
from ..pose.track import match_people
from ..pose.types import is_seen
from .grid import coarse_grid, fill_cells, is_near, look_up, to_pixels

BODY_LIMBS = LIMBS[:13]  # without those from the nose to the eyes and the ears: too short
FALL = 3  # power of the distance with which a limb's influence falls
REACH = 0.5  # a body reaches so far from its limbs, in median lengths of a limb
MIN_REACH = 4.0  # pixels


def pair_limbs(
    people: tuple[Poses, Poses], size: tuple[int, int], pairs: Tensor | None = None
) -> np.ndarray:
    """Limbs that both keyframes show: [2, N, 2, 2] pixels, of the first keyframe and of the last.

    A limb with an end far from the frame is left out, because it says nothing about the frame.

    Args:
        people: people of the first and of the last keyframe, [P, ...] each.
        size: (height, width) of the keyframes, in pixels.
        pairs: [M, 2] rows of `people` that are the same person; None: `match_people`.
    """
    poses0, poses1 = people
    pairs = match_people(poses0, poses1) if pairs is None else pairs
    ends = np.array(BODY_LIMBS)
    shown = is_seen(poses0)[pairs[:, 0]] & is_seen(poses1)[pairs[:, 1]]
    kept = shown.numpy()[:, ends].all(axis=-1)  # [M, limbs]
    scale = np.array(size[::-1])
    limbs = np.stack(
        [
            poses.keypoints[pairs[:, i]].numpy()[:, ends][kept] * scale
            for i, poses in enumerate((poses0, poses1))
        ]
    )
    return limbs[:, is_near(limbs, size).all(axis=(0, 2))]


def move_limbs(
    limbs: np.ndarray, time: float, size: tuple[int, int], at: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Maps to both keyframes of pixels that move with limbs, and the pixels that do so.

    Args:
        limbs: [2, N, 2, 2] pixels, N > 0.
        time: 0 at the first keyframe, 1 at the last.
        size: (height, width) in pixels.
        at: [h, w, 2] places of the pixels, where the limbs are; None: the pixels' own.

    Returns:
        Two maps [h, w, 2], and bool [h, w]: whether a pixel is near a limb.

    Source: Beier and Neely, Feature-Based Image Metamorphosis (1992).
    """
    nodes = coarse_grid(size)
    if at is not None:
        nodes = look_up(at, nodes)
    now = (1 - time) * limbs[0] + time * limbs[1]
    totals = np.zeros((2, *nodes.shape))
    weights = np.zeros(nodes.shape[:2])
    nearest = np.full(nodes.shape[:2], np.inf)
    for limb, start, end in zip(now, limbs[0], limbs[1], strict=True):
        along, beyond, aside = _in_limb(limb, nodes)
        distance = np.hypot(beyond, aside)
        weight = _length(limb) ** 0.5 / (1 + distance) ** FALL
        for total, other in zip(totals, (start, end), strict=True):
            total += weight[..., None] * _from_limb(other, along, beyond, aside)
        weights += weight
        nearest = np.minimum(nearest, distance)
    to0, to1 = (to_pixels(total / weights[..., None], size) for total in totals)
    reach = REACH * np.median([_length(limb) for limb in now]) + MIN_REACH
    return to0, to1, fill_cells(nearest <= reach, size)


def _in_limb(limb: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points in a limb's own coordinates, each [h, w].

    They are: the part of the way along the limb, 0..1; pixels beyond its ends; pixels aside.
    """
    length, direction = _length(limb), _direction(limb)
    offset = points - limb[0]
    forward = offset @ direction
    along = (forward / length).clip(0, 1)
    return along, forward - along * length, offset @ _turned(direction)


def _from_limb(
    limb: np.ndarray, along: np.ndarray, beyond: np.ndarray, aside: np.ndarray
) -> np.ndarray:
    """Points [h, w, 2] in pixels from a limb's own coordinates."""
    direction = _direction(limb)
    on_limb = limb[0] + along[..., None] * (limb[1] - limb[0])
    return on_limb + beyond[..., None] * direction + aside[..., None] * _turned(direction)


def _length(limb: np.ndarray) -> float:
    return max(float(np.linalg.norm(limb[1] - limb[0])), 1e-3)


def _direction(limb: np.ndarray) -> np.ndarray:
    """Unit vector along a limb; to the right if both ends are at one place."""
    angle = np.arctan2(*(limb[1] - limb[0])[::-1])
    return np.array([np.cos(angle), np.sin(angle)])


def _turned(direction: np.ndarray) -> np.ndarray:
    return np.array([-direction[1], direction[0]])
