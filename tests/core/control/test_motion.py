"""Everything that moves over two keyframes or more, drawn."""

import numpy as np
import pytest
import torch

from fcvg_core.control import ControlFrameSettings, draw_keyframes, draw_motion
from fcvg_core.frames import overlay
from fcvg_core.lines import LineMatches, draw_lines, interpolate_lines, match_colors
from fcvg_core.lines.draw import line_colors
from fcvg_core.motion import Motion, MotionTrack, Span
from fcvg_core.motion.motion_track import STROKE
from fcvg_core.paths import PATH_COLORS, Path, path_strokes
from fcvg_core.pose import STYLES, Poses, draw_poses, interpolate_poses
from fcvg_core.timeline import inbetween_times

SIZE = (96, 160)
SETTINGS = ControlFrameSettings(
    num_frames=9,
    timing="uniform",
    line_width=1,
    seed=3,
    pose_style=STYLES["fcvg"],
    missing_joints="hide",
    missing_people="fade",
)
FIRST = torch.tensor([[[10.0, 20.0], [60.0, 20.0]], [[10.0, 60.0], [60.0, 60.0]]])
PATHS = (Path(18, torch.tensor([[80.0, 50], [90, 50], [110, 50], [120, 50]])),)


def span(**more) -> Span:
    return Span(matches=LineMatches(FIRST, FIRST + 8, size=SIZE), **more)


def person(x: float) -> Poses:
    keypoints = torch.zeros(1, 134, 2)
    keypoints[0, :, 0], keypoints[0, :, 1] = x, torch.linspace(0.1, 0.9, 134)
    return Poses(keypoints, torch.ones(1, 134))


def test_people_over_strokes_over_lines() -> None:
    people = person(0.2), person(0.7)
    times = inbetween_times(9, "uniform")
    matches = span().matches
    lines = draw_lines(
        interpolate_lines(matches, times), SIZE, line_width=1, colors=match_colors(matches, 3)
    )
    colors = line_colors(PATH_COLORS, 3)[[18 % PATH_COLORS]]
    strokes = draw_lines(path_strokes(PATHS, times, STROKE), SIZE, line_width=1, colors=colors)
    track = interpolate_poses(*people, times, missing_joints="hide", missing_people="fade")
    drawn = draw_poses(track, SIZE, style=STYLES["fcvg"])
    motion = Motion(SIZE, (span(people=people, paths=PATHS),))
    found = draw_keyframes(motion, (0, 8), SETTINGS)
    assert np.array_equal(found, overlay(overlay(lines, strokes), drawn))
    plain = draw_keyframes(Motion(SIZE, (span(people=people),)), (0, 8), SETTINGS)
    assert np.array_equal(plain, overlay(lines, drawn))


def test_the_stroke_has_a_length() -> None:
    motion = Motion(SIZE, (Span(paths=PATHS),))
    frames = draw_keyframes(motion, (0, 8), SETTINGS)
    columns = frames[4].any(-1).any(0).nonzero()[0]
    assert columns[-1] - columns[0] == STROKE and columns.mean() == 100


def test_a_line_keeps_its_colour_and_is_drawn_where_it_is_known() -> None:
    """The upper line lives on, in another row; the lower line ends at the keyframe."""
    later = Span(matches=LineMatches(FIRST[:1] + 8, FIRST[:1] + 16, size=SIZE))
    frames = draw_keyframes(Motion(SIZE, (span(), later)), (0, 4, 8), SETTINGS)
    colors = match_colors(span().matches, 3)
    counts = [[int((frame == color).all(-1).sum()) for frame in frames] for color in colors]
    assert counts == [[51] * 9, [51] * 5 + [0] * 4]


def test_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="expected lines, people or paths"):
        draw_motion(MotionTrack(SIZE, None, None, None), SETTINGS)
