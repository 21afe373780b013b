"""Regions that stand still -> what begins in them stays where it is."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import torch
from torch import Tensor

from ..lines import LineMatches
from ..paths import Path
from ..pose import Poses, is_seen
from .region import Region
from .types import Span


def hold_still(span: Span, size: tuple[int, int]) -> Span:
    """What moves between two keyframes, but for what begins in the span's regions.

    Lines whose ends both lie in regions in the first keyframe, joints and paths that begin in a
    region, get the places of the first keyframe in the last keyframe too. Of people only joints
    that the first keyframe shows are held, and only of those whom both keyframes show.

    Args:
        span: without regions it is returned as it is.
        size: (height, width) of the keyframes, in pixels.

    Returns:
        The span with its regions. Its pairs of people are those of the people who move.
    """
    if not span.holds:
        return span
    matches, people, pairs = span.matches, span.people, span.pairs
    if matches is not None:
        matches = _hold_lines(matches, span.holds)
    if people is not None:
        pairs = span.people_pairs
        people = people[0], _hold_joints(people, pairs, span.holds, size)
    paths = tuple(_hold_path(path, span.holds) for path in span.paths)
    return replace(span, matches=matches, people=people, pairs=pairs, paths=paths)


def is_held(holds: Sequence[Region], points: Tensor) -> Tensor:
    """Whether points (x, y) in pixels lie in any of the regions: [..., 2] -> [...] bool."""
    places = points.detach().cpu().numpy()
    inside = np.zeros(places.shape[:-1], bool)
    for region in holds:
        inside |= region.contains(places)
    return torch.from_numpy(inside).to(points.device)


def held_lines(holds: Sequence[Region], lines: Tensor) -> Tensor:
    """Whether both ends of each line lie in regions: [N, 2, 2] -> [N] bool."""
    return is_held(holds, lines).all(dim=1)


def held_joints(holds: Sequence[Region], people: Poses, size: tuple[int, int]) -> Tensor:
    """Whether each joint of people [P, ...] is seen and lies in regions: [P, 134] bool.

    Args:
        size: (height, width) of the frame, in pixels.
    """
    pixels = people.keypoints.new_tensor(size[::-1])
    shown = is_seen(people) & (people.brightness > 0)[:, None]
    return shown & is_held(holds, people.keypoints * pixels)


def held_mask(holds: Sequence[Region], size: tuple[int, int], feather: float = 0.0) -> np.ndarray:
    """Where a picture stands still: 1 in the regions, 0 elsewhere.

    Args:
        holds: regions, in pixels.
        size: (height, width) of the picture, in pixels.
        feather: pixels around a region over which the mask falls to 0.

    Returns:
        [H, W] float32 in 0..1.
    """
    inside = np.zeros(size, bool)
    for region in holds:
        inside |= region.mask(size)
    if feather <= 0 or not inside.any():
        return inside.astype(np.float32)
    outside = (~inside).astype(np.uint8)
    apart = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.clip(1 - apart / np.float32(feather), 0, 1)


def _hold_lines(matches: LineMatches, holds: Sequence[Region]) -> LineMatches:
    held = held_lines(holds, matches.lines0)
    lines1 = torch.where(held[:, None, None], matches.lines0, matches.lines1)
    return replace(matches, lines1=lines1, kept_ends=matches.kept_ends | held)


def _hold_joints(
    people: tuple[Poses, Poses], pairs: Tensor, holds: Sequence[Region], size: tuple[int, int]
) -> Poses:
    """The people of the last keyframe; held joints are those of the first keyframe."""
    first, last = people
    start = first.people(pairs[:, 0])
    held = held_joints(holds, start, size)
    end = last.people(pairs[:, 1])
    keypoints, scores = last.keypoints.clone(), last.scores.clone()
    keypoints[pairs[:, 1]] = torch.where(held[..., None], start.keypoints, end.keypoints)
    scores[pairs[:, 1]] = torch.where(held, start.scores, end.scores)
    return Poses(keypoints, scores, last.brightness)


def _hold_path(path: Path, holds: Sequence[Region]) -> Path:
    begin = path.points[:1]
    return replace(path, points=begin) if is_held(holds, begin).item() else path
