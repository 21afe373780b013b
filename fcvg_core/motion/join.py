"""Motions of A-B and B-C -> the motion of A-B-C."""

from collections.abc import Sequence

from ..canvas import in_words
from ..errors import UserError
from .types import Motion


def join_motions(motions: Sequence[Motion]) -> Motion:
    """One motion with the spans of all, in the order of time.

    The last keyframe of each motion must be the first keyframe of the next.

    Args:
        motions: at least one.

    Raises:
        UserError: their keyframes have different sizes.
    """
    if not motions:
        raise ValueError("expected at least one motion, got none")
    size = motions[0].size
    for place, motion in enumerate(motions, 1):
        if tuple(motion.size) != tuple(size):
            raise UserError(
                f"Motion {place} is of keyframes of {in_words(motion.size)} pixels, but the first "
                f"motion is of {in_words(size)} pixels: give all keyframes one size."
            )
    return Motion(size, tuple(span for motion in motions for span in motion.spans))
