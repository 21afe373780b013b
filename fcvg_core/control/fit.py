"""Control frames that were drawn for another size -> control frames of the video's size."""

import logging
from collections.abc import Iterable

import numpy as np

from ..canvas import in_words
from ..choices import ANCHORS, CROP, PAD, PICTURE_FITS, STRETCH
from ..frames import fit_frame

DONE = {CROP: "cropped and resized", PAD: "resized and padded", STRETCH: "stretched"}


def fit_control_frames(
    frames: Iterable[np.ndarray],
    size: tuple[int, int],
    fit: str = PICTURE_FITS[0],
    anchor: str = ANCHORS[0],
) -> np.ndarray:
    """Control frames of the video's size, fitted as a picture of their shape would be.

    ControlNeXt would take frames of any size, but its time and its memory grow with their size.
    A log line names the first other size.

    Args:
        frames: uint8 [h, w, 3], at least one, of any sizes.
        size: (height, width) of the video, in pixels.
        fit, anchor: those of the keyframes or of the reference picture; see `place_picture`.

    Returns:
        [T, height, width, 3] uint8; frames that have this size are not changed.
    """
    fitted, other = [], None
    for frame in frames:
        fitted.append(fit_frame(frame, size, fit, anchor))
        if other is None and frame.shape[:2] != tuple(size):
            other = frame.shape[:2]
    if other is not None:
        same_shape = other[0] * size[1] == other[1] * size[0]
        logging.info(
            "The control frames are %s from %s to %s pixels, the size of the video.",
            "resized" if same_shape else DONE[fit],
            in_words(other),
            in_words(size),
        )
    return np.stack(fitted)
