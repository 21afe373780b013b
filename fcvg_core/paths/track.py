"""Paths -> where their points are at any time, and the strokes that show the points."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from ..timeline import progress_at
from .types import Path

Places = TypeVar("Places", Tensor, np.ndarray)
STEPS = 32  # straight pieces for each Bezier curve
# Colours of the palette of lines that paths share: a path keeps its colour when others come and go.
PATH_COLORS = 16


def path_points(paths: Sequence[Path], times: Tensor) -> Tensor:
    """Where the point of each path is at each time.

    Each cubic curve is sampled at 32 equal steps of its parameter: 33 points, and neighbouring
    curves share one. Straight lines join the samples. At a time t the point lies where the share
    `speed`(t) of the length of the whole polyline is behind it. A path of one point, or of the
    length 0, stands still.

    Args:
        paths: M >= 0 paths.
        times: [T], 0 at the first keyframe and 1 at the last.

    Returns:
        [T, M, 2] float64 (x, y) in pixels.

    Raises:
        UserError: the speed of a path is not a timing that `progress_at` takes.
    """
    return _follow(paths, times)[0]


def path_strokes(paths: Sequence[Path], times: Tensor, length: float) -> Tensor:
    """A short straight stroke for each path at each time, centred on its point.

    The stroke lies along the path. Where the path stands still, the stroke keeps the direction of
    the last motion; where it never moves, the stroke is horizontal.

    Args:
        paths: M >= 0 paths.
        times: [T], 0 at the first keyframe and 1 at the last.
        length: of a stroke, in pixels.

    Returns:
        [T, M, 2, 2] float64 ends (x, y) in pixels.

    Raises:
        UserError: as in `path_points`.
    """
    points, directions = _follow(paths, times)
    half = directions * (length / 2)
    return torch.stack([points - half, points + half], dim=2)


def sample_curves(points: Tensor) -> Tensor:
    """Points [3 * n + 1, 2] of n cubic Bezier curves -> samples [32 * n + 1, 2] of the way."""
    begins, ends = points[:-1:3], points[3::3]
    handles0, handles1 = points[1::3], points[2::3]
    u = torch.arange(STEPS, dtype=torch.float64)[:, None] / STEPS  # a curve's end is a begin
    curves = zip(curve_weights(u), (begins, handles0, handles1, ends), strict=True)
    samples = sum(weight * point[:, None] for weight, point in curves)  # [n, 32, 2]
    return torch.cat([samples.flatten(0, 1) if len(begins) else points[:0], points[-1:]])


def curve_weights(u: Places) -> tuple[Places, Places, Places, Places]:
    """How much the four points of a cubic Bezier curve count at places 0..1 on the curve."""
    return (1 - u) ** 3, 3 * u * (1 - u) ** 2, 3 * u**2 * (1 - u), u**3


def find_moved(samples: Tensor) -> Tensor:
    """Which samples [N, 2] lie elsewhere than the sample before them, and the first: [N] bool."""
    moved = torch.ones(len(samples), dtype=torch.bool)
    moved[1:] = (samples[1:] - samples[:-1]).norm(dim=1) > 0
    return moved


def straight_curves(corners: Tensor) -> Tensor:
    """Corners [N, 2] -> points [3 * N - 2, 2] of Bezier curves that are straight lines."""
    begins, ends = corners[:-1], corners[1:]
    step = (ends - begins) / 3
    curves = torch.stack([begins, begins + step, ends - step], dim=1).flatten(0, 1)
    return torch.cat([curves, corners[-1:]])


def way_lengths(paths: Sequence[Path]) -> Tensor:
    """The length of each path's polyline: [M] float64, in pixels."""
    ways = [sample_curves(path.points) for path in paths]
    lengths = [(way[1:] - way[:-1]).norm(dim=1).sum() for way in ways]
    return torch.stack(lengths) if lengths else torch.zeros(0, dtype=torch.float64)


def _follow(paths: Sequence[Path], times: Tensor) -> tuple[Tensor, Tensor]:
    """Points and directions of length 1, both [T, M, 2]."""
    if not paths:
        empty = torch.zeros(len(times), 0, 2, dtype=torch.float64)
        return empty, empty
    points, directions = zip(*(_follow_one(path, times) for path in paths), strict=True)
    return torch.stack(points, dim=1), torch.stack(directions, dim=1)


def _follow_one(path: Path, times: Tensor) -> tuple[Tensor, Tensor]:
    """Points and directions of one path, both [T, 2]."""
    share = progress_at(times, path.speed)
    samples = sample_curves(path.points)
    samples = samples[find_moved(samples)]  # so every piece has a direction
    if len(samples) == 1:
        horizontal = torch.tensor([1.0, 0.0], dtype=torch.float64)
        return samples.expand(len(times), 2), horizontal.expand(len(times), 2)
    pieces = samples[1:] - samples[:-1]
    lengths = pieces.norm(dim=1)
    behind = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
    target = share * behind[-1]
    piece = (torch.searchsorted(behind, target, right=True) - 1).clamp(0, len(pieces) - 1)
    part = (target - behind[piece]) / lengths[piece]
    return samples[piece] + part[:, None] * pieces[piece], pieces[piece] / lengths[piece, None]
