"""Keyframes and a motion -> frames in which the keyframes' own pixels move."""

from collections.abc import Sequence

import numpy as np

from ..frames import check_frame
from ..motion import Motion, span_times
from ..progress import Progress, silent
from .span import SpanPreview


def preview_keyframes(
    keyframes: Sequence[np.ndarray],
    at: Sequence[int],
    timing: str | Sequence[float],
    motion: Motion,
    *,
    progress: Progress = silent,
) -> np.ndarray:
    """Frames between keyframes, made of the keyframes' own pixels.

    Each span is a preview between its own two keyframes, see `preview_motion`. Paths carry the
    pixels around their points along their curves, a camera's move bends the ways of all pixels,
    and regions that stand still show the first keyframe of their span until its last frame.

    Args:
        keyframes: K >= 2 of uint8 [H, W, 3], of the motion's size.
        at: K numbers of their frames, as `check_keyframes` returns them.
        timing: over the whole video, see `span_times`.
        motion: of K - 1 spans.
        progress: is told the stage, how many frames are done, and how many frames there are.

    Returns:
        [T, H, W, 3] uint8; every keyframe is at its frame, bit for bit. Two keyframes without
        paths, regions and a camera give exactly the frames of `preview_motion`.

    Raises:
        UserError: the timing is not valid for these keyframes.
        ValueError: the numbers of keyframes, frames and spans do not fit, or a keyframe has
            another shape.

    Source: made for this project; docs/preview.md says what it was chosen from.
    """
    _check(keyframes, at, motion)
    times = span_times(at, timing)
    frames = np.empty((at[-1] + 1, *motion.size, 3), np.uint8)
    done = 0
    for i, (span, local) in enumerate(zip(motion.spans, times, strict=True)):
        between = f"Keyframes {i + 1} and {i + 2}: " if len(motion.spans) > 1 else ""
        preview = SpanPreview((keyframes[i], keyframes[i + 1]), span, between)
        # The frame of a keyframe between two spans is made once.
        moments = [0.0, *local.tolist()[1:-1], 1.0][min(i, 1) :]
        for time in moments:
            frames[done] = preview.frame(time)
            done += 1
            progress("preview", done, len(frames))
    return frames


def _check(keyframes: Sequence[np.ndarray], at: Sequence[int], motion: Motion) -> None:
    if not len(keyframes) == len(at) == motion.num_keyframes:
        raise ValueError(
            f"expected a keyframe and a frame number for each of the motion's "
            f"{motion.num_keyframes} keyframes, got {len(keyframes)} and {len(at)}"
        )
    for keyframe in keyframes:
        check_frame(keyframe)
        if keyframe.shape[:2] != tuple(motion.size):
            raise ValueError(
                f"expected keyframes of the motion's size {tuple(motion.size)}, got "
                f"{list(keyframe.shape)}"
            )
