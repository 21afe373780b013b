"""All that moves between keyframes -> control frames that show it.

FCVG was trained on frames with lines and people. The strokes of paths are drawn as lines are.
"""

import functools
import logging
from collections.abc import Sequence

import numpy as np

from ..frames import overlay
from ..lines import draw_lines, match_colors
from ..motion import LineTrack, Motion, MotionTrack, track_motion
from ..pose import draw_poses
from .settings import ControlFrameSettings


def draw_keyframes(motion: Motion, at: Sequence[int], settings: ControlFrameSettings) -> np.ndarray:
    """Control frames of a video with keyframes at any frames; see `track_motion`, `draw_motion`.

    Args:
        at: frames of the keyframes, the last of them `settings.num_frames` - 1.

    Differs: as many frames are drawn as the video has; the official code draws 25 and drops some.
    """
    track = track_motion(
        motion,
        at,
        settings.timing,
        missing_joints=settings.missing_joints,
        missing_people=settings.missing_people,
    )
    return draw_motion(track, settings)


def draw_motion(track: MotionTrack, settings: ControlFrameSettings) -> np.ndarray:
    """Control frames [T, H, W, 3] uint8: people over strokes of paths over lines, on black.

    A warning is logged if every control frame is black.

    Raises:
        ValueError: the track has neither lines nor people nor paths.
    """
    layers = [
        _draw_track(lines, track.size, settings)
        for lines in (track.lines, track.paths)
        if lines is not None
    ]
    if track.people is not None:
        layers.append(draw_poses(track.people, track.size, style=settings.pose_style))
    if not layers:
        raise ValueError("expected lines, people or paths, got none of them")
    frames = functools.reduce(overlay, layers)
    if not frames.any():
        logging.warning("No line is matched and no people are drawn, so nothing steers the video.")
    return frames


def _draw_track(
    track: LineTrack, size: tuple[int, int], settings: ControlFrameSettings
) -> np.ndarray:
    """Frames of lines on black."""
    colors = match_colors(track, settings.seed)
    return draw_lines(track.lines, size, line_width=settings.line_width, colors=colors)
