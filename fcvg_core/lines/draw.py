"""Line tracks -> frames: every segment keeps one colour through the whole video."""

import cv2
import numpy as np
import torch

from .types import LineMatches

# From seaborn's husl_palette: first hue, saturation, lightness; the hues span 359 degrees.
FIRST_HUE, SATURATION, LIGHTNESS = 0.01, 0.9 * 99, 0.65 * 99
HUE_RANGE = 359
# CIE constants and the sRGB matrix, rounded as in husl 2.1 (seaborn's copy).
XYZ_TO_RGB = np.array(
    [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
)
WHITE_U, WHITE_V = 0.19784, 0.46834
# Coordinates are clipped to this range, because OpenCV takes 32-bit integers.
FARTHEST = 2.0**20


def draw_lines(
    track: torch.Tensor, size: tuple[int, int], *, line_width: int, colors: np.ndarray
) -> np.ndarray:
    """Frames with the segments on black; later segments cover earlier ones.

    Args:
        track: [T, N, 2, 2] ends (x, y) in pixels; they may lie outside the frame. A segment with
            NaN or infinite coordinates is not drawn in the frame concerned.
        size: (height, width) of the frames, in pixels.
        line_width: in pixels, at least 1.
        colors: [N, 3] uint8 RGB, one per segment; see `match_colors`.

    Returns:
        [T, height, width, 3] uint8.

    Raises:
        ValueError: the track is not [T, N, 2, 2], there is not one colour per segment, or the
            line width is not positive.

    Source: Tian-one/FCVG models/gluestick/drawing.py plot_color_line_matches_opencv.
    """
    if track.ndim != 4 or track.shape[2:] != (2, 2):
        raise ValueError(f"expected a track [T, N, 2, 2], got {list(track.shape)}")
    if line_width < 1:
        raise ValueError(f"expected a line width of at least 1 pixel, got {line_width}")
    if colors.shape != (track.shape[1], 3):
        raise ValueError(f"expected colors [{track.shape[1]}, 3], got {list(colors.shape)}")
    frames = np.zeros((len(track), *size, 3), np.uint8)
    for frame, lines in zip(frames, track.detach().cpu().numpy(), strict=True):
        draw_segments(frame, lines, colors, line_width)
    return frames


def draw_segments(
    frame: np.ndarray, lines: np.ndarray, colors: np.ndarray, line_width: int
) -> None:
    """Draw [N, 2, 2] segments into a frame [H, W, 3], in colours [N, 3]."""
    drawable = np.isfinite(lines).all(axis=(1, 2))
    # The official code truncates coordinates and does not round them.
    ends = np.clip(np.where(drawable[:, None, None], lines, 0), -FARTHEST, FARTHEST).astype(int)
    for i in np.flatnonzero(drawable):
        start, end = ends[i].tolist()
        cv2.line(frame, start, end, colors[i].tolist(), thickness=line_width)


def match_colors(matches: LineMatches, seed: int) -> np.ndarray:
    """The colour of each match: [N, 3] uint8 RGB. A match keeps it when others are removed.

    Args:
        seed: decides which match gets which colour; only the seed modulo 2**32 counts.

    Differs: the official code draws all lines that matched, and here the colours of all these
        lines are the same as there. If matches are removed, the official code has no rule.
    """
    # Matches that were added by hand may have larger ids than there are colours.
    return line_colors(matches.num_matched, seed)[matches.ids.numpy() % matches.num_matched]


def line_colors(num_lines: int, seed: int) -> np.ndarray:
    """Distinct colours, shuffled by the seed: [N, 3] uint8 RGB.

    Source: Tian-one/FCVG drawing.py. The official code draws the RGB palette as BGR, so red and
    blue are swapped. The network was trained with the swapped colours, so this function swaps them
    too.
    Differs: a separate generator shuffles the colours, not numpy's global generator.
    """
    order = list(range(num_lines))
    np.random.RandomState(seed % 2**32).shuffle(order)
    return husl_palette(num_lines)[order][:, ::-1]


def husl_palette(num_colors: int) -> np.ndarray:
    """Colours of evenly spaced hues that look equally bright: [num_colors, 3] uint8 RGB.

    Source: seaborn husl_palette (default settings); husl 2.1.
    """
    hues = (np.linspace(0, 1, num_colors + 1)[:-1] + FIRST_HUE) % 1 * HUE_RANGE
    direction = np.stack([np.cos(np.radians(hues)), np.sin(np.radians(hues))], axis=-1)
    luv = direction * (chroma_limit(direction) / 100 * SATURATION)[:, None]
    u, v = (luv / (13 * LIGHTNESS) + (WHITE_U, WHITE_V)).T
    y = ((LIGHTNESS + 16) / 116) ** 3
    x = -9 * y * u / ((u - 4) * v - u * v)
    z = (9 * y - 15 * v * y - v * x) / (3 * v)
    linear = np.stack([x, np.full_like(x, y), z], axis=-1) @ XYZ_TO_RGB.T
    curved = 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055  # sRGB's transfer curve
    rgb = np.where(linear > 0.0031308, curved, 12.92 * linear)
    return (rgb.clip(0, 1) * 255).astype(np.uint8)  # as in the official code


def chroma_limit(direction: np.ndarray) -> np.ndarray:
    """Largest chroma within sRGB at LIGHTNESS: (cos, sin) of hues [N, 2] -> [N].

    Source: husl 2.1 max_chroma.
    """
    cos, sin = direction.T
    level = ((LIGHTNESS + 16) / 116) ** 3
    limits = []
    for x, y, z in XYZ_TO_RGB:
        top = (0.99915 * x + 1.05122 * y + 1.14460 * z) * level
        bottom = ((0.86330 * z - 0.17266 * y) * sin + (0.12949 * z - 0.38848 * x) * cos) * level
        for edge in (0.0, 1.0):  # the smallest and the largest value of this sRGB channel
            limits.append(LIGHTNESS * (top - 1.05122 * edge) / (bottom + 0.17266 * sin * edge))
    limits = np.stack(limits)
    return np.where(limits > 0, limits, np.inf).min(axis=0)
