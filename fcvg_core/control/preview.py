"""Control frames for people to look at: drawn small and thick, over the keyframes.

The lines of control frames are one pixel wide, as the model was trained, so in a small picture they
vanish. These functions draw the same motion once more for a small picture.
"""

from dataclasses import replace

import cv2
import numpy as np
from torch import Tensor

from ..lines import LineMatches, draw_lines, match_colors
from ..motion import LineTrack
from ..pose import CANVAS, Poses, PoseStyle, draw_poses
from .inbetween import draw_moving_lines

DIMMED = 0.4  # factor that darkens the keyframes, so that lines and people stand out
LINE_WIDTH = 2  # pixels of the preview, at least
# People are drawn on a canvas of twice the size of the preview, and have at least these widths.
FINER = 2
WIDTHS = {"limb_width": 3, "hand_width": 3, "joint_radius": 4, "face_radius": 2}


def fade_keyframes(frame0: np.ndarray, frame1: np.ndarray, times: Tensor) -> np.ndarray:
    """The darkened keyframes, faded into each other.

    Args:
        frame0, frame1: [H, W, 3] uint8 of one size.
        times: [T] in 0..1; at 0 only `frame0` is seen, at 1 only `frame1`.

    Returns:
        [T, H, W, 3] uint8.
    """
    return np.stack(
        [
            cv2.addWeighted(frame0, (1 - time) * DIMMED, frame1, time * DIMMED, 0)
            for time in times.tolist()
        ]
    )


def draw_thick_lines(
    matches: LineMatches, times: Tensor, size: tuple[int, int], *, line_width: int, seed: int
) -> np.ndarray:
    """Moving lines as in `draw_moving_lines`, small and thick.

    Args:
        size: (height, width) of the preview, in pixels.
        line_width: width of the lines in the control frames, in pixels of `matches`.

    Returns:
        [T, *size, 3] uint8.
    """
    scale = matches.lines0.new_tensor(size[::-1]) / matches.lines0.new_tensor(matches.size[::-1])
    small = replace(
        matches, lines0=matches.lines0 * scale, lines1=matches.lines1 * scale, size=size
    )
    width = max(round(line_width * float(scale.min())), LINE_WIDTH)
    return draw_moving_lines(small, times, line_width=width, seed=seed)


def draw_thick_track(
    track: LineTrack,
    frames: list[int],
    full: tuple[int, int],
    size: tuple[int, int],
    *,
    line_width: int,
    seed: int,
) -> np.ndarray:
    """Some frames of lines that move over several keyframes, small and thick.

    Args:
        frames: numbers of the frames, T.
        full: (height, width) of the control frames, in pixels.
        size, line_width, seed: see `draw_thick_lines`.

    Returns:
        [T, *size, 3] uint8.
    """
    scale = track.lines.new_tensor(size[::-1]) / track.lines.new_tensor(full[::-1])
    width = max(round(line_width * float(scale.min())), LINE_WIDTH)
    colors = match_colors(track, seed)
    return draw_lines(track.lines[frames] * scale, size, line_width=width, colors=colors)


def draw_thick_people(people: Poses, size: tuple[int, int], *, style: PoseStyle) -> np.ndarray:
    """People as in `draw_poses`, small and thick.

    Args:
        people: people of a video, [T, P, ...].
        size: (height, width) of the preview, in pixels.
        style: the style in the control frames.

    Returns:
        [T, *size, 3] uint8.
    """
    canvas = FINER * min(size)
    small = style.scaled(canvas / CANVAS)
    thick = {name: max(getattr(small, name), width) for name, width in WIDTHS.items()}
    return draw_poses(people, size, style=replace(small, **thick), canvas=canvas)


def cover(below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Frames [T, H, W, 3] uint8 under all pixels of `above` that are not black.

    Unlike `overlay`, no channel of a frame below shines through a coloured stroke.
    """
    red, green, blue = np.moveaxis(above, -1, 0)  # faster than any(axis=-1)
    return np.where((red | green | blue)[..., None], above, below)
