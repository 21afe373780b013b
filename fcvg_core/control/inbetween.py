"""Lines or people of two keyframes -> control frames that show how they move in between."""

import numpy as np
from torch import Tensor

from ..lines import LineMatches, draw_lines, interpolate_lines, match_colors
from ..pose import Poses, PoseStyle, draw_poses, interpolate_poses


def draw_moving_lines(
    matches: LineMatches, times: Tensor, *, line_width: int, seed: int
) -> np.ndarray:
    """Frames [T, H, W, 3] uint8 of the matched lines, which move in straight lines.

    Args:
        times: [T], 0 at the first keyframe and 1 at the last.
        line_width: width of the lines, in pixels.
        seed: decides which colour each line gets.
    """
    track = interpolate_lines(matches, times)
    colors = match_colors(matches, seed)
    return draw_lines(track, matches.size, line_width=line_width, colors=colors)


def draw_moving_people(
    people: tuple[Poses, Poses],
    times: Tensor,
    size: tuple[int, int],
    *,
    style: PoseStyle,
    missing_joints: str,
    missing_people: str,
) -> tuple[Poses, np.ndarray]:
    """People who move from the first keyframe to the last, and frames that show them.

    Args:
        people: people of the first and of the last keyframe, [P, ...] each.
        times: [T], 0 at the first keyframe and 1 at the last.
        size: (height, width) of the frames, in pixels.
        missing_joints, missing_people: see `interpolate_poses`.

    Returns:
        Poses [T, P, ...] and frames [T, H, W, 3] uint8.
    """
    track = interpolate_poses(
        *people, times, missing_joints=missing_joints, missing_people=missing_people
    )
    return track, draw_poses(track, size, style=style)
