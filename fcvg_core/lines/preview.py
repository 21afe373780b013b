"""Line matches -> one preview frame with both keyframes side by side."""

import cv2
import numpy as np

from .draw import FARTHEST, draw_segments, match_colors
from .types import LineMatches

LINE_WIDTH = 2  # pixels
REMOVED_WIDTH, REMOVED_COLOR = 1, (140, 140, 140)
DIMMED = 0.55  # factor that darkens the keyframes, so that the coloured lines stand out
FONT = cv2.FONT_HERSHEY_SIMPLEX
# The editor shows the picture a few hundred pixels wide: of its width, digits have this share.
DIGIT_HEIGHT, LEAST_HEIGHT = 1 / 64, 11
# Where along a line its id may stand: the first place is taken where no other id stands.
PLACES = (0.5, 0.3, 0.7, 0.1, 0.9)


def draw_matches(
    frame0: np.ndarray,
    frame1: np.ndarray,
    matches: LineMatches,
    *,
    seed: int,
    removed: LineMatches | None = None,
    show_ids: bool = False,
) -> np.ndarray:
    """Both keyframes side by side, darkened; each match has the same colour as in control frames.

    Args:
        frame0, frame1: [H, W, 3] uint8; their size is `matches.size`.
        matches: N >= 0 segments, in pixels.
        seed: decides which match gets which colour.
        removed: matches that are drawn thin and grey under the others.
        show_ids: write the id of each of `matches` beside its lines.

    Returns:
        [H, 2 W, 3] uint8.

    Raises:
        ValueError: the size of a frame is not `matches.size`.
    """
    colors = match_colors(matches, seed)
    halves = []
    for frame, name in ((frame0, "lines0"), (frame1, "lines1")):
        if frame.shape != (*matches.size, 3):
            raise ValueError(f"expected frames {[*matches.size, 3]}, got {list(frame.shape)}")
        half = (frame * DIMMED).astype(np.uint8)
        if removed is not None:
            grey = np.broadcast_to(REMOVED_COLOR, (len(removed.ids), 3))
            draw_segments(half, getattr(removed, name).numpy(), grey, REMOVED_WIDTH)
        lines = getattr(matches, name).numpy()
        draw_segments(half, lines, colors, LINE_WIDTH)
        if show_ids:
            _write_ids(half, lines, matches.ids.tolist(), colors)
        halves.append(half)
    return np.concatenate(halves, axis=1)


def _write_ids(frame: np.ndarray, lines: np.ndarray, ids: list[int], colors: np.ndarray) -> None:
    """Write an id at each [N, 2, 2] segment, where its number covers no other number if possible.

    The height of the digits follows the width of two frames side by side.
    """
    height = max(round(2 * frame.shape[1] * DIGIT_HEIGHT), LEAST_HEIGHT)
    thickness = max(height // 10, 1)
    scale = cv2.getFontScaleFromHeight(FONT, height, thickness)
    taken = np.zeros(frame.shape[:2], bool)
    lines = np.nan_to_num(lines).clip(-FARTHEST, FARTHEST)
    for line, number, color in zip(lines, ids, colors, strict=True):
        (width, _), _ = cv2.getTextSize(str(number), FONT, scale, thickness)
        boxes = [_box(line[0] + place * (line[1] - line[0]), width, height) for place in PLACES]
        left, top, right, bottom = next((b for b in boxes if not _part(taken, b).any()), boxes[0])
        _part(taken, (left, top, right, bottom))[...] = True
        for tone, wide in (((0, 0, 0), 3 * thickness), (color.tolist(), thickness)):
            cv2.putText(frame, str(number), (left, bottom), FONT, scale, tone, wide, cv2.LINE_AA)


def _box(middle: np.ndarray, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a text around a point (x, y)."""
    left, top = (middle - (width / 2, height / 2)).astype(int).tolist()
    return left, top, left + width, top + height


def _part(frame: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """The pixels of a frame [H, W] in a box, which may lie partly outside."""
    left, top, right, bottom = (max(value, 0) for value in box)
    return frame[top:bottom, left:right]
