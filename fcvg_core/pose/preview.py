"""Preview of poses: people drawn over their own frame."""

import numpy as np

from ..frames import check_frame, overlay
from .draw import PoseStyle, draw_poses
from .types import Poses, stack_frames

DIMMED = 0.4  # factor that darkens the frame below the people
LEGIBLE = 576  # pixels; if the shorter side is smaller, people are drawn with wider strokes


def draw_on_frame(frame: np.ndarray, poses: Poses, *, style: PoseStyle) -> np.ndarray:
    """A darkened frame with its people drawn over it.

    Args:
        frame: [H, W, 3] uint8.
        poses: people of this frame, [P, ...].
        style: see `draw_poses`.

    Returns:
        [H, W, 3] uint8.
    """
    check_frame(frame)
    size = frame.shape[:2]
    style = style.scaled(max(LEGIBLE / min(size), 1))
    people = draw_poses(stack_frames([poses]), size, style=style)[0]
    return overlay((frame * DIMMED).astype(np.uint8), people)
