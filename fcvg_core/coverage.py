"""How much of a frame lines or people reach."""

import numpy as np

ROWS = COLUMNS = 4
PARTS = ROWS * COLUMNS
# Of 255. What is not brighter counts as black: a video of a drawing has some noise.
BLACK = 16


def count_parts(frame: np.ndarray) -> int:
    """In how many of 16 parts of a frame, made by four rows and four columns, something is shown.

    Args:
        frame: [H, W, 3], uint8 or floating point in 0..1. What is black counts as empty.

    Returns:
        0..16; a frame of fewer than 4 rows or columns has fewer parts.
    """
    limit = BLACK if frame.dtype == np.uint8 else BLACK / 255
    bands = np.array_split(frame.max(axis=-1) > limit, ROWS)
    parts = (part for band in bands for part in np.array_split(band, COLUMNS, axis=1))
    return sum(bool(part.any()) for part in parts)
