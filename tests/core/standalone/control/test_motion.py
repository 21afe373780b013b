"""What moves between two keyframes."""

import logging

import numpy as np
import torch

from fcvg_core.lines import ClassicLineMatcher
from fcvg_core.pose import Poses, nobody
from fcvg_core.standalone.control.motion import find_motion
from fcvg_core.standalone.demo.scene import draw_sample_pair

MATCH = ClassicLineMatcher()
BLANK = np.full((288, 512, 3), 128, np.uint8)


def person(x: float) -> Poses:
    keypoints = torch.zeros(1, 134, 2)
    keypoints[0, :, 0], keypoints[0, :, 1] = x, torch.linspace(0.1, 0.9, 134)
    return Poses(keypoints, torch.ones(1, 134))


def test_nothing_to_match(caplog) -> None:
    caplog.set_level(logging.INFO)
    seen = []
    found = find_motion(
        (BLANK, BLANK),
        match=MATCH,
        find_poses=lambda pair: (nobody(), nobody()),
        progress=lambda *state: seen.append(state),
    )
    assert len(found.matches.lines0) == 0
    assert "No lines match (0 and 0 found)." in caplog.text
    assert "Get more lines: raise --max-lines, or use --matcher gluestick." in caplog.text
    assert "The first frame shows nobody, the last frame shows nobody." in caplog.text
    assert [poses.num_people for poses in found.people] == [0, 0]
    assert seen == [("conditions", done, 2) for done in range(3)]


def test_lines_and_people_of_the_keyframes() -> None:
    pair = draw_sample_pair((128, 192))
    poses = person(0.2), person(0.7)
    seen = []
    found = find_motion(pair, match=MATCH, find_poses=lambda given: seen.append(given) or poses)
    assert seen == [pair] and found.people is poses
    assert torch.equal(found.matches.lines0, MATCH(*pair).lines0)
    assert find_motion(pair, match=MATCH, find_poses=None).people is None
