"""From two keyframes to control frames."""

import logging

import numpy as np
import torch

from fcvg_core.control import draw_inbetween
from fcvg_core.lines import ClassicLineMatcher
from fcvg_core.pose import STYLES, Poses, nobody
from fcvg_core.standalone.control.control_frames import ControlFrameSettings, make_control_frames
from fcvg_core.standalone.demo.scene import draw_sample_pair

SETTINGS = ControlFrameSettings(
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


def test_nothing_to_match(caplog) -> None:
    caplog.set_level(logging.WARNING)
    seen = []
    frames = make_control_frames(
        (BLANK, BLANK),
        SETTINGS,
        match=MATCH,
        find_poses=lambda pair: (nobody(), nobody()),
        progress=lambda *state: seen.append(state),
    )
    assert not frames.any() and "No line" in caplog.text
    assert seen == [("conditions", done, 3) for done in range(4)]


def test_what_was_found_is_drawn() -> None:
    """Lines and people of the keyframes themselves go into the control frames."""
    pair = draw_sample_pair((128, 192))
    poses = person(0.2), person(0.7)
    seen = []
    frames = make_control_frames(
        pair, SETTINGS, match=MATCH, find_poses=lambda given: seen.append(given) or poses
    )
    assert seen == [pair]
    assert np.array_equal(frames, draw_inbetween(MATCH(*pair), poses, (128, 192), SETTINGS))
    assert not np.array_equal(
        frames, make_control_frames(pair, SETTINGS, match=MATCH, find_poses=None)
    )
