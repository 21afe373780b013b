"""People drawn over their own frame, to look at."""

import numpy as np

from ..frames import check_frame, overlay
from .draw import PoseStyle, draw_poses
from .types import Poses, stack_frames

DIMMED = 0.4  # brightness of the frame below
LEGIBLE = 576  # pixels of the shorter side below which lines are widened, to be seen at all


def draw_on_frame(frame: np.ndarray, poses: Poses, *, style: PoseStyle) -> np.ndarray:
    """A darker frame with its people.

    Args:
        frame: [H, W, 3] uint8.
        poses: [P, ...] of that frame.

    Returns:
        [H, W, 3] uint8.
    """
    check_frame(frame)
    size = frame.shape[:2]
    style = style.scaled(max(LEGIBLE / min(size), 1))
    people = draw_poses(stack_frames([poses]), size, style=style)[0]
    return overlay((frame * DIMMED).astype(np.uint8), people)
