"""From two keyframes to control frames."""

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch

from fcvg_core.frames import overlay
from fcvg_core.lines import ClassicLineMatcher, draw_lines, interpolate_lines
from fcvg_core.pose import STYLES, Poses, draw_poses, interpolate_poses, nobody
from fcvg_core.standalone.control.conditions import ConditionSettings, make_conditions
from fcvg_core.standalone.demo.scene import draw_sample_pair
from fcvg_core.timeline import inbetween_times

SETTINGS = ConditionSettings(
    num_frames=3,
    timing="reference",
    line_width=1,
    seed=0,
    pose_style=STYLES["fcvg"],
    missing_joints="hide",
    missing_people="fade",
)
MATCH = ClassicLineMatcher()
BLANK = np.full((288, 512, 3), 128, np.uint8)


def person(x: float) -> Poses:
    keypoints = torch.zeros(1, 134, 2)
    keypoints[0, :, 0], keypoints[0, :, 1] = x, torch.linspace(0.1, 0.9, 134)
    return Poses(keypoints, torch.ones(1, 134))


@pytest.mark.parametrize("num_frames", [2, 3, 26])
def test_as_many_as_asked_for(num_frames) -> None:
    settings = replace(SETTINGS, num_frames=num_frames)
    frames = make_conditions(draw_sample_pair((128, 192)), settings, match=MATCH, find_poses=None)
    assert frames.shape == (num_frames, 128, 192, 3) and frames.dtype == np.uint8
    assert all(frame.any() for frame in frames)


def test_nothing_to_match(caplog) -> None:
    caplog.set_level(logging.WARNING)
    seen = []
    frames = make_conditions(
        (BLANK, BLANK),
        SETTINGS,
        match=MATCH,
        find_poses=lambda pair: (nobody(), nobody()),
        progress=lambda *state: seen.append(state),
    )
    assert not frames.any() and "No line" in caplog.text
    assert seen == [("conditions", done, 3) for done in range(4)]


def test_people_over_lines() -> None:
    """Both as they are alone, fused as the reference fuses them, at the same times."""
    pair = draw_sample_pair((288, 512))
    settings = replace(SETTINGS, num_frames=5, timing="ease-in")
    poses = person(0.2), person(0.7)
    frames = make_conditions(pair, settings, match=MATCH, find_poses=lambda pair: poses)
    times = inbetween_times(5, "ease-in")
    matches = MATCH(*pair)
    lines = draw_lines(interpolate_lines(matches, times), matches.size, line_width=1, seed=0)
    track = interpolate_poses(*poses, times, missing_joints="hide", missing_people="fade")
    people = draw_poses(track, matches.size, style=STYLES["fcvg"])
    assert lines.any() and people.any()
    assert np.array_equal(frames, overlay(lines, people))
