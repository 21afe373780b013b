"""What moves between two keyframes -> where it is at any time."""

from dataclasses import replace

import torch
from torch import Tensor

from ..lines import interpolate_lines
from ..lines.track import in_order, paired_ends
from ..pose import Poses, interpolate_poses
from .camera import NEAREST
from .holding import held_joints, held_lines, hold_still
from .types import Span


def lines_at(span: Span, times: Tensor) -> Tensor:
    """Matched lines at each time; regions stand still, and the camera bends the ways.

    With a camera, whose homography at time t is H(t), a line moves from L0 to L1 as
    H(t) ((1 - t) L0 + t H(1)^-1 L1): it follows the camera, and what it moves by itself is
    straight. Its ends are paired by the shortest way of its own. Lines of regions follow no camera.

    Args:
        span: with matches.
        times: [T], 0 at the first keyframe and 1 at the last.

    Returns:
        [T, N, 2, 2] in the pixels of the matches. Without a camera: those of `interpolate_lines`.
        A line behind the camera is NaN.
    """
    span = hold_still(span, span.matches.size)
    matches = span.matches
    if span.camera is None:
        return interpolate_lines(matches, times)
    first = matches.lines0.double()
    own_last = move_points(_way_back(span, matches.size), last_lines(span))
    parts = times.double()[:, None, None, None]
    ways = span.camera.at(times, matches.size)[:, None, None]
    track = move_points(ways, first + (own_last - first) * parts)
    held = held_lines(span.holds, matches.lines0)[:, None, None]
    return torch.where(held, first, track).to(matches.lines0)


def last_lines(span: Span) -> Tensor:
    """The lines of a span's last keyframe, each with its ends in the order of the first keyframe.

    They are paired as in `paired_ends`. With a camera the shortest way of the line's own counts,
    which the camera's move leaves: the ends of a line that turns far with the picture are kept.

    Args:
        span: with matches.

    Returns:
        [N, 2, 2] in the pixels of the matches.
    """
    found = span.matches
    first, last = found.lines0, found.lines1
    if span.camera is None:
        return paired_ends(first, last, found.kept_ends)
    own_last = move_points(_way_back(span, found.size), last)
    keep = in_order(first.double(), own_last, found.kept_ends)
    return torch.where(keep[:, None, None], last, last.flip(1))


def people_at(
    span: Span, times: Tensor, size: tuple[int, int], *, missing_joints: str, missing_people: str
) -> Poses:
    """People at each time; regions stand still, and the camera bends the ways as in `lines_at`.

    Args:
        span: with people.
        times: [T], 0 at the first keyframe and 1 at the last.
        size: (height, width) of the keyframes, in pixels.
        missing_joints, missing_people: see `interpolate_poses`. A joint or a person of one keyframe
            alone follows the camera, too.

    Returns:
        Poses [T, P, ...], as of `interpolate_poses`; without a camera, the same.
    """
    span = hold_still(span, size)
    first, last = span.people
    choices = {"missing_joints": missing_joints, "missing_people": missing_people}
    if span.camera is None:
        return interpolate_poses(first, last, times, pairs=span.pairs, **choices)
    pairs = span.people_pairs
    pixels = first.keypoints.new_tensor(size[::-1])
    own_last = replace(
        last, keypoints=move_points(_way_back(span, size), last.keypoints * pixels) / pixels
    )
    # At time 0 a point is where the first keyframe shows it: there it is held or not.
    own = interpolate_poses(
        first, own_last, torch.cat([times.new_zeros(1), times]), pairs=pairs, **choices
    )
    start = own.frame(0)
    own = Poses(own.keypoints[1:], own.scores[1:], own.brightness[1:])
    ways = span.camera.at(times, size)[:, None, None]
    points = move_points(ways, own.keypoints * pixels) / pixels
    exact = interpolate_poses(first, last, times.new_tensor([0.0, 1.0]), pairs=pairs, **choices)
    points = _with_ends(points, times, *exact.keypoints)
    held = held_joints(span.holds, start, size)  # those who come are not seen at time 0
    return Poses(torch.where(held[..., None], start.keypoints, points), own.scores, own.brightness)


def move_points(ways: Tensor, points: Tensor) -> Tensor:
    """Points (x, y) moved by homographies [..., 3, 3]: [..., 2] -> [..., 2] float64.

    Points that come to lie behind the camera are NaN.
    """
    x, y = points.double().unbind(-1)
    moved = [ways[..., i, 0] * x + ways[..., i, 1] * y + ways[..., i, 2] for i in range(3)]
    depth = torch.where(moved[2] > NEAREST, moved[2], torch.nan)
    return torch.stack(moved[:2], dim=-1) / depth[..., None]


def _way_back(span: Span, size: tuple[int, int]) -> Tensor:
    """The homography [3, 3] from the last keyframe to the first."""
    return torch.linalg.inv(span.camera.at(torch.ones(1, dtype=torch.float64), size)[0])


def _with_ends(track: Tensor, times: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """A track [T, ...] that is exactly as the keyframes at the times 0 and 1."""
    times = times.reshape(-1, *(1,) * first.ndim)
    return torch.where(times == 0, first, torch.where(times == 1, last, track))
