"""What moves -> points in every frame, which models that follow tracks understand."""

from collections.abc import Collection

import torch
from torch import Tensor

from ..choices import LINES, PATHS, PEOPLE
from ..pose import Poses, is_seen
from ..pose.skeleton import BODY
from .motion_track import LineTrack, MotionTrack


def track_points(track: MotionTrack, kinds: Collection[str]) -> tuple[Tensor, Tensor]:
    """Both ends of each line, the joints of each body, and the points of paths.

    Args:
        kinds: which of MOVING are taken.

    Returns:
        points [T, M, 2] float64 (x, y) in pixels, 0 where nothing is seen, and seen [T, M] bool.
        Points that are never seen are left out. If there is nothing, T is 0 too.
    """
    size = track.size
    found = [
        _line_ends(track.lines) if track.lines and LINES in kinds else None,
        _joints(track.people, size) if track.people and PEOPLE in kinds else None,
        _centres(track.paths) if track.paths and PATHS in kinds else None,
    ]
    found = [each for each in found if each is not None]
    if not found:
        return torch.zeros(0, 0, 2, dtype=torch.float64), torch.zeros(0, 0, dtype=torch.bool)
    points, seen = (torch.cat(parts, dim=1) for parts in zip(*found, strict=True))
    seen &= points.isfinite().all(dim=-1)
    points = torch.where(seen[..., None], points, 0.0)
    ever = seen.any(dim=0)
    return points[:, ever], seen[:, ever]


def _line_ends(lines: LineTrack) -> tuple[Tensor, Tensor]:
    return lines.lines.double().flatten(1, 2), lines.seen.repeat_interleave(2, dim=1)


def _joints(people: Poses, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    pixels = torch.tensor(size[::-1], dtype=torch.float64)
    shown = is_seen(people) & (people.brightness > 0)[..., None]
    joints = people.keypoints[..., BODY, :] * pixels
    return joints.flatten(1, 2), shown[..., BODY].flatten(1)


def _centres(strokes: LineTrack) -> tuple[Tensor, Tensor]:
    return strokes.lines.double().mean(dim=2), strokes.seen
