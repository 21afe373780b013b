"""Line matches -> one preview frame with both keyframes side by side."""

import numpy as np

from .draw import draw_segments, line_colors
from .types import LineMatches

LINE_WIDTH = 2  # pixels
DIMMED = 0.55  # factor that darkens the keyframes, so that the coloured lines stand out


def draw_matches(
    frame0: np.ndarray, frame1: np.ndarray, matches: LineMatches, *, seed: int
) -> np.ndarray:
    """Both keyframes side by side, darkened; each match has the same colour as in `draw_lines`.

    Args:
        frame0, frame1: [H, W, 3] uint8; their size is `matches.size`.
        matches: N >= 0 segments, in pixels.
        seed: decides which match gets which colour.

    Returns:
        [H, 2 W, 3] uint8.

    Raises:
        ValueError: the size of a frame is not `matches.size`.
    """
    colors = line_colors(len(matches.lines0), seed)
    halves = []
    for frame, lines in ((frame0, matches.lines0), (frame1, matches.lines1)):
        if frame.shape != (*matches.size, 3):
            raise ValueError(f"expected frames {[*matches.size, 3]}, got {list(frame.shape)}")
        half = (frame * DIMMED).astype(np.uint8)
        draw_segments(half, lines.detach().cpu().numpy(), colors, LINE_WIDTH)
        halves.append(half)
    return np.concatenate(halves, axis=1)
