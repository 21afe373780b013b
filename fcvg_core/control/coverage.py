"""How much of the picture control frames reach."""

import numpy as np

ROWS = COLUMNS = 4
PARTS = ROWS * COLUMNS
# Of 255. What is not brighter counts as black: a video of a drawing has some noise.
BLACK = 16


def count_parts(frames: np.ndarray) -> list[int]:
    """In how many of 16 parts of the picture the first, middle and last frame show something.

    The parts are made by four rows and four columns.

    Args:
        frames: [T, H, W, 3], uint8 or floating point in 0..1; 4 pixels or more on each side.

    Returns:
        Three numbers in 0..16.
    """
    limit = BLACK if frames.dtype == np.uint8 else BLACK / 255
    return [_count(frames[i].max(axis=-1) > limit) for i in (0, len(frames) // 2, -1)]


def _count(lit: np.ndarray) -> int:
    bands = np.array_split(lit, ROWS)
    parts = (part for band in bands for part in np.array_split(band, COLUMNS, axis=1))
    return sum(bool(part.any()) for part in parts)
