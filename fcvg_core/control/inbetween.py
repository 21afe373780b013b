"""Lines and people of two keyframes -> control frames that show how both move in between."""

import numpy as np
from torch import Tensor

from ..lines import LineMatches, draw_lines, interpolate_lines, match_colors
from ..motion import Motion, Span
from ..pose import Poses, PoseStyle, draw_poses, interpolate_poses
from .motion import draw_keyframes
from .settings import ControlFrameSettings


def draw_inbetween(
    matches: LineMatches | None,
    people: tuple[Poses, Poses] | None,
    size: tuple[int, int],
    settings: ControlFrameSettings,
) -> np.ndarray:
    """Control frames of a video between two keyframes: people over lines, on black.

    A warning is logged if every control frame is black.

    Args:
        matches: lines of both keyframes; None draws no lines.
        people: people of the first and of the last keyframe, [P, ...] each; None draws no people.
        size: (height, width) of the frames, in pixels; with `matches`, the size in `matches`.

    Returns:
        [T, H, W, 3] uint8.

    Raises:
        UserError: there are fewer than 2 frames, or the timing is not valid.
        ValueError: there are neither matches nor people, or the size is not that of the matches.

    Differs: as many frames are drawn as the video has; the official code draws 25 and drops some.
    """
    motion = Motion(size, (Span(matches=matches, people=people),))
    return draw_keyframes(motion, (0, settings.num_frames - 1), settings)


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
