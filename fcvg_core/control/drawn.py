"""Whether a video shows people already drawn, as coloured strokes on black."""

from collections.abc import Iterable

import cv2
import numpy as np

# Levels of a pixel's brightest channel. Lossy compression surrounds strokes with levels between.
BLACK, LIT = 16, 64
VIVID = 0.6  # smallest saturation of a stroke's colour; of the palettes it is 1
MIN_BLACK = 0.8  # of all pixels of each frame
# Of the pixels that are not black, in all frames together. A film at night has dim light around
# its lamps.
MAX_DIM = 0.55
# Of the pixels that are not black: those that are deep inside a shape. Strokes are thin.
MAX_INSIDE, DEEP = 0.4, 0.01  # DEEP is a share of the shorter side
MIN_VIVID = 0.5  # of the lit pixels; the others are points of faces, and what compression blurs
# A skeleton has its limbs' colours all around the colour circle.
HUES, MIN_HUES, HUE_SHARE = 12, 8, 0.02


def looks_drawn(frames: Iterable[np.ndarray]) -> bool:
    """Whether frames show people that are drawn already: coloured strokes on black.

    The answer is yes only if every frame is mostly black, and if what is not black in all frames
    together is thin, bright and vivid, in colours all around the colour circle. Frames of a film
    are read up to the first frame that is not mostly black. White strokes alone are not
    recognised, because a cartoon may have them too.

    Args:
        frames: uint8 [H, W, 3].
    """
    total = np.zeros(4)  # pixels that are not black, dim, deep inside, lit
    hues = np.zeros(HUES)
    for frame in frames:
        brightest = frame.max(axis=-1)
        shown = brightest >= BLACK
        if shown.mean() > 1 - MIN_BLACK:
            return False
        lit = brightest >= LIT
        total += shown.sum(), (shown & ~lit).sum(), _deep_inside(shown), lit.sum()
        hues += _vivid_hues(frame[lit])
    shown, dim, inside, lit = total
    return bool(
        lit
        and dim <= MAX_DIM * shown
        and inside <= MAX_INSIDE * shown
        and hues.sum() >= MIN_VIVID * lit
        and (hues >= HUE_SHARE * hues.sum()).sum() >= MIN_HUES
    )


def _deep_inside(shown: np.ndarray) -> int:
    """The number of pixels [H, W] bool whose whole neighbourhood is set."""
    reach = max(round(DEEP * min(shown.shape)), 1)
    around = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    return int(cv2.erode(shown.astype(np.uint8), around).sum())


def _vivid_hues(pixels: np.ndarray) -> np.ndarray:
    """How many vivid pixels of [N, 3] uint8 are in each part of the colour circle: [HUES]."""
    if len(pixels) == 0:
        return np.zeros(HUES)
    hue, saturation, _ = cv2.cvtColor(pixels[None], cv2.COLOR_RGB2HSV_FULL)[0].T
    vivid = hue[saturation >= VIVID * 255]
    return np.bincount(vivid.astype(int) * HUES // 256, minlength=HUES)
