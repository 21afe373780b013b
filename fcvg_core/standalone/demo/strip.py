"""One picture that shows control frames, the video that belongs to them, and the truth."""

import cv2
import numpy as np

from ...frames import check_frames

COLUMNS = 5
WIDTH, GAP = 256, 4  # of a tile and between tiles, in pixels
WHITE = 255


def draw_strip(
    control: np.ndarray | None, frames: np.ndarray, *, truth: np.ndarray | None = None
) -> np.ndarray:
    """Control frames above, frames below: five of each, evenly chosen, the first and last too.

    Args:
        control: [T, H, W, 3] uint8; None leaves its row out.
        frames: [T, H, W, 3] uint8; T is at least 2.
        truth: [T, H, W, 3] uint8, for a row above the control frames.

    Returns:
        [h, w, 3] uint8.

    Raises:
        ValueError: they are of different shapes.
    """
    for other in (frames, control, truth):
        if other is None:
            continue
        check_frames(other)
        if other.shape != frames.shape:
            raise ValueError(
                f"expected as many control frames as frames and of their size, got "
                f"{list(other.shape)} and {list(frames.shape)}"
            )
    chosen = np.linspace(0, len(frames) - 1, min(COLUMNS, len(frames))).round().astype(int)
    rows = [] if truth is None else [[_small(truth[i]) for i in chosen]]
    rows += [] if control is None else [[_small(_thicker(control[i])) for i in chosen]]
    rows += [[_small(frames[i]) for i in chosen]]
    height = rows[0][0].shape[0]
    shape = (len(rows) * (height + GAP) - GAP, len(chosen) * (WIDTH + GAP) - GAP, 3)
    strip = np.full(shape, WHITE, np.uint8)
    for row, tiles in enumerate(rows):
        for column, tile in enumerate(tiles):
            top, left = row * (height + GAP), column * (WIDTH + GAP)
            strip[top : top + height, left : left + WIDTH] = tile
    return strip


def _small(frame: np.ndarray) -> np.ndarray:
    height = max(round(frame.shape[0] * WIDTH / frame.shape[1]), 1)
    method = cv2.INTER_AREA if frame.shape[1] > WIDTH else cv2.INTER_LINEAR
    return cv2.resize(frame, (WIDTH, height), interpolation=method)


def _thicker(frame: np.ndarray) -> np.ndarray:
    """Lines so thick that they are still bright when the frame is made small."""
    side = max(round(frame.shape[1] / WIDTH), 1)
    return cv2.dilate(frame, np.ones((side, side), np.uint8))
