"""Two keyframes -> what every frame between them is painted along."""

import logging
from collections.abc import Callable

import numpy as np

from ..lines import draw_lines, interpolate_lines
from ..timeline import inbetween_times
from .matching import Matcher


def make_conditions(
    keyframes: tuple[np.ndarray, np.ndarray],
    *,
    match: Matcher,
    num_frames: int,
    line_width: int,
    seed: int,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> np.ndarray:
    """Control frames: the lines of both keyframes as they move from one to the other.

    Args:
        keyframes: first and last, uint8 [H, W, 3] of one size.
        match: a matcher of the room `lines`, or what gives matches that were made before.
        num_frames: of the video, keyframes included.
        seed: of the lines' colours.
        progress: is told the stage, how many parts of it are done, and of how many.

    Returns:
        [num_frames, H, W, 3] uint8.

    Differs: makes as many as the video has frames, where the reference makes 25 and drops some.
    """
    times = inbetween_times(num_frames)
    progress("conditions", 0, 2)
    matches = match(*keyframes)
    progress("conditions", 1, 2)
    track = interpolate_lines(matches, times)
    frames = draw_lines(track, matches.size, line_width=line_width, seed=seed)
    progress("conditions", 2, 2)
    if len(matches.lines0) == 0:
        logging.warning("No line of the two frames matches: nothing steers the video.")
    else:
        logging.info("%d lines match.", len(matches.lines0))
    return frames
