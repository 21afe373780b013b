"""Control frames that were drawn for another size -> control frames of the video's size."""

import logging
from collections.abc import Iterable

import numpy as np

from ..canvas import in_words
from ..frames import fit_frame


def fit_control_frames(frames: Iterable[np.ndarray], size: tuple[int, int]) -> np.ndarray:
    """Control frames of the video's size, cropped and resized as the keyframes are.

    ControlNeXt would take frames of any size, but its time and its memory grow with their size.
    A log line names the first other size.

    Args:
        frames: uint8 [h, w, 3], at least one, of any sizes.
        size: (height, width) of the video, in pixels.

    Returns:
        [T, height, width, 3] uint8; frames that have this size are not changed.
    """
    fitted, other = [], None
    for frame in frames:
        fitted.append(fit_frame(frame, size))
        if other is None and frame.shape[:2] != tuple(size):
            other = frame.shape[:2]
    if other is not None:
        same_shape = other[0] * size[1] == other[1] * size[0]
        logging.info(
            "The control frames are %s from %s to %s pixels, the size of the video.",
            "resized" if same_shape else "cropped and resized",
            in_words(other),
            in_words(size),
        )
    return np.stack(fitted)
