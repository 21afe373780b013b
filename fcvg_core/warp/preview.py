"""Keyframes, lines and people -> frames in which the keyframes' own pixels move."""

import numpy as np
from torch import Tensor

from ..frames import check_frame
from ..lines import LineMatches
from ..motion import Span
from ..pose import Poses
from ..progress import Progress, silent
from .span import SpanPreview


def preview_motion(
    keyframes: tuple[np.ndarray, np.ndarray],
    times: Tensor,
    *,
    matches: LineMatches | None = None,
    people: tuple[Poses, Poses] | None = None,
    progress: Progress = silent,
) -> np.ndarray:
    """Frames between two keyframes, made of the keyframes' own pixels.

    Every pixel moves with the layer that agrees best: the camera's motion, which the lines say;
    the same corrected by optical flow; optical flow alone; objects; people. Where the layers do
    not explain what moves, both keyframes are blended in place.

    Args:
        keyframes: first and last, uint8 [H, W, 3] of one size.
        times: [T] progress of the motion, 0..1, see `inbetween_times`; T is at least 2.
        matches: lines of both keyframes, of the keyframes' size; None: no line is known. Lines
            far outside of the frame, or with numbers that are not finite, do not count.
        people: people of the first and of the last keyframe, [P, ...] each; None: nobody. People
            count where both keyframes show the same limb.
        progress: is told the stage, how many frames are done, and how many frames there are.

    Returns:
        [T, H, W, 3] uint8. The first frame and the last are the keyframes, bit for bit, whatever
        their times are; so is each frame of time 0 or 1. Without lines and people all frames are
        plain blends, and the log says so.

    Raises:
        ValueError: the keyframes or the matches are of different sizes, or a shape is wrong.

    Source: made for this project; docs/preview.md says what it was chosen from.
    """
    first, last = keyframes
    _check(first, last, times, matches)
    preview = SpanPreview(keyframes, Span(matches=matches, people=people))
    frames = np.empty((len(times), *first.shape), np.uint8)
    for i, time in enumerate([0.0, *times.tolist()[1:-1], 1.0]):
        frames[i] = preview.frame(time)
        progress("preview", i + 1, len(times))
    return frames


def _check(first: np.ndarray, last: np.ndarray, times: Tensor, matches: LineMatches | None) -> None:
    check_frame(first)
    check_frame(last)
    if first.shape != last.shape:
        raise ValueError(
            f"expected keyframes of one size, got {list(first.shape)} and {list(last.shape)}"
        )
    if times.ndim != 1 or len(times) < 2:
        raise ValueError(f"expected times [T] of at least 2 frames, got {list(times.shape)}")
    if matches is not None and tuple(matches.size) != first.shape[:2]:
        raise ValueError(
            f"expected matches of the keyframes' size {first.shape[:2]}, got {tuple(matches.size)}"
        )
