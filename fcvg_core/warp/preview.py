"""Keyframes, lines and people -> frames in which the keyframes' own pixels move."""

import numpy as np
from torch import Tensor

from ..frames import check_frame
from ..lines import LineMatches
from ..pose import Poses
from ..progress import Progress, silent


def preview_motion(
    keyframes: tuple[np.ndarray, np.ndarray],
    times: Tensor,
    *,
    matches: LineMatches | None = None,
    people: tuple[Poses, Poses] | None = None,
    progress: Progress = silent,
) -> np.ndarray:
    """Frames between two keyframes, made of the keyframes' own pixels.

    Args:
        keyframes: first and last, uint8 [H, W, 3] of one size.
        times: [T] progress of the motion, 0..1, see `inbetween_times`; T is at least 2.
        matches: lines of both keyframes, of the keyframes' size; None: no line is known.
        people: people of the first and of the last keyframe, [P, ...] each; None: nobody.
        progress: is told the stage, how many frames are done, and how many frames there are.

    Returns:
        [T, H, W, 3] uint8. The first frame and the last are the keyframes, bit for bit, whatever
        their times are; so is each frame of time 0 or 1.

    Raises:
        ValueError: the keyframes or the matches are of different sizes, or a shape is wrong.
    """
    first, last = keyframes
    check_frame(first)
    check_frame(last)
    if first.shape != last.shape:
        raise ValueError(
            f"expected keyframes of one size, got {list(first.shape)} and {list(last.shape)}"
        )
    frames = np.empty((len(times), *first.shape), np.uint8)
    for i, time in enumerate(times.tolist()):
        blend = first * (1 - time) + last * time
        frames[i] = np.rint(blend).astype(np.uint8)
        progress("preview", i + 1, len(times))
    frames[0], frames[-1] = first, last
    return frames
