"""Two keyframes -> what every frame between them is painted along."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ...frames import overlay
from ...lines import draw_lines, interpolate_lines
from ...pose import PoseStyle, draw_poses, interpolate_poses
from ...timeline import inbetween_times
from .dwpose import Keyframes, PoseFinder
from .matching import Matcher


@dataclass(frozen=True, kw_only=True)
class ConditionSettings:
    """How conditions move and how they are drawn."""

    num_frames: int  # of the video, keyframes included
    timing: str | Sequence[float]  # see `inbetween_times`
    line_width: int  # in pixels
    seed: int  # of the lines' colours
    pose_style: PoseStyle
    missing_joints: str  # see `interpolate_poses`
    missing_people: str


def make_conditions(
    keyframes: Keyframes,
    settings: ConditionSettings,
    *,
    match: Matcher,
    find_poses: PoseFinder | None,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> np.ndarray:
    """Control frames: lines and people of both keyframes as they move from one to the other.

    Args:
        keyframes: first and last, uint8 [H, W, 3] of one size.
        match: a matcher of the room `lines`, or what gives matches that were made before.
        find_poses: gives the people of both keyframes, who are drawn over the lines.
        progress: is told the stage, how many parts of it are done, and of how many.

    Returns:
        [num_frames, H, W, 3] uint8.

    Differs: makes as many as the video has frames, where the reference makes 25 and drops some.
    """
    times = inbetween_times(settings.num_frames, settings.timing)
    progress("conditions", 0, 3)
    matches = match(*keyframes)
    logging.info("%d lines match.", len(matches.lines0))
    progress("conditions", 1, 3)
    track = interpolate_lines(matches, times)
    frames = draw_lines(track, matches.size, line_width=settings.line_width, seed=settings.seed)
    progress("conditions", 2, 3)
    if find_poses:
        people = _draw_people(find_poses(keyframes), times, matches.size, settings)
        frames = overlay(frames, people)
    progress("conditions", 3, 3)
    if not frames.any():
        logging.warning(
            "No line of the two frames matches, and no people are drawn: nothing steers the video."
        )
    return frames


def _draw_people(
    poses: tuple, times: Tensor, size: tuple[int, int], settings: ConditionSettings
) -> np.ndarray:
    logging.info(
        "There are %d people in the first frame, %d in the last.",
        *(each.num_people for each in poses),
    )
    track = interpolate_poses(
        *poses,
        times,
        missing_joints=settings.missing_joints,
        missing_people=settings.missing_people,
    )
    return draw_poses(track, size, style=settings.pose_style)
