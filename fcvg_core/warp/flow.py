"""Two keyframes carried to the middle -> a dense optical flow that brings them together."""

import cv2
import numpy as np

from .grid import follow, look_up, pixel_grid

STEPS = 3  # until the two flows are taken at the same place


def refine(
    grays: tuple[np.ndarray, np.ndarray], to0: np.ndarray, to1: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Maps from the middle frame to both keyframes, corrected by optical flow.

    The flow runs both ways, and half of it is added on each side.

    Args:
        grays: keyframes, [h, w] uint8.
        to0, to1: maps to the first and to the last keyframe.

    Source: Kroeger et al., Fast Optical Flow using Dense Inverse Search (2016); OpenCV's.
    """
    middle0, middle1 = look_up(grays[0], to0), look_up(grays[1], to1)
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    forward, back = search.calc(middle0, middle1, None), search.calc(middle1, middle0, None)
    pixels = pixel_grid(middle0.shape)
    shift = np.zeros_like(forward)
    for _ in range(STEPS):
        shift = (look_up(forward, pixels - shift) - look_up(back, pixels + shift)) / 4
    return follow(to0, pixels - shift), follow(to1, pixels + shift)
