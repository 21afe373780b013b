"""Two keyframes -> control frames: a matcher and a pose finder look at them, core draws."""

import logging

import numpy as np

from ...control import ControlFrameSettings, draw_inbetween
from ...progress import Progress, silent
from .dwpose import Keyframes, PoseFinder
from .matching import Matcher

STAGES = 3  # lines matched, people found, everything drawn


def make_control_frames(
    keyframes: Keyframes,
    settings: ControlFrameSettings,
    *,
    match: Matcher,
    find_poses: PoseFinder | None,
    progress: Progress = silent,
) -> np.ndarray:
    """Control frames: lines and people of both keyframes as they move from one to the other.

    Args:
        keyframes: first and last, uint8 [H, W, 3] of one size.
        match: a matcher of the room `lines`, or a function that returns matches made before.
        find_poses: returns the people of both keyframes; None draws no people.
        progress: is told the stage, how many parts of it are done, and how many parts there are.

    Returns:
        [num_frames, H, W, 3] uint8.
    """
    progress("conditions", 0, STAGES)
    matches = match(*keyframes)
    logging.info("%d lines match.", len(matches.lines0))
    progress("conditions", 1, STAGES)
    people = None
    if find_poses:
        people = find_poses(keyframes)
        logging.info(
            "There are %d people in the first frame, %d in the last.",
            *(poses.num_people for poses in people),
        )
    progress("conditions", 2, STAGES)
    frames = draw_inbetween(matches, people, matches.size, settings)
    progress("conditions", 3, STAGES)
    return frames
