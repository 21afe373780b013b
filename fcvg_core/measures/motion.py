"""Jitter: how much frames shake from one to the next."""

import numpy as np

from ..frames import check_frames


def jitter(frames: np.ndarray) -> np.ndarray:
    """How far each frame is from the mean of its two neighbours in time.

    This is the mean size of the second difference over time, |before - 2 frame + after| / 2, of
    every pixel and channel. It is 0 where nothing moves and where colours change steadily, as in
    a cross-fade. It grows with flicker, with jumps and with the motion of sharp edges. Therefore
    a number alone says little: compare it with the jitter of the true frames. More than the truth
    means that the result flickers or jumps; less means that the result is blurred, or moves less.

    Args:
        frames: [T, H, W, 3] uint8.

    Returns:
        [T] float64 in levels of a pixel, 0..255. The first and the last frame lack a neighbour:
        their jitter is NaN.

    Raises:
        ValueError: the frames are not [T, H, W, 3] uint8.

    Source: the second difference in place of the first one, which measures of flicker use: Huang
        et al., VBench (2023), temporal flickering. The first one counts all motion as flicker.
    """
    check_frames(frames)
    found = np.full(len(frames), np.nan)
    for i in range(1, len(frames) - 1):
        before, frame, after = frames[i - 1 : i + 2].astype(np.int16)
        found[i] = np.mean(np.abs(before - 2 * frame + after)) / 2
    return found
