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
    (span,) = found.spans
    assert len(span.matches.lines0) == 0
    assert "No lines match (0 and 0 found)." in caplog.text
    assert "Get more lines: raise --max-lines, or use --matcher gluestick." in caplog.text
    assert "The first frame shows nobody, the last frame shows nobody." in caplog.text
    assert [poses.num_people for poses in span.people] == [0, 0]
    assert seen == [("conditions", done, 2) for done in range(3)]


def test_lines_and_people_of_the_keyframes() -> None:
    pair = draw_sample_pair((128, 192))
    poses = person(0.2), person(0.7)
    seen = []
    found = find_motion(pair, match=MATCH, find_poses=lambda given: seen.append(given) or poses)
    (span,) = found.spans
    assert seen == [pair] and span.people == poses and found.size == (128, 192)
    assert torch.equal(span.matches.lines0, MATCH(*pair).lines0)
    assert find_motion(pair, match=MATCH, find_poses=None).spans[0].people is None


def test_each_two_neighbours_of_several_keyframes(caplog) -> None:
    """People are looked for once in each keyframe."""
    caplog.set_level(logging.INFO)
    first, last = draw_sample_pair((128, 192))
    keyframes, poses, states = (first, last, first), (person(0.2), nobody(), person(0.3)), []
    found = find_motion(
        keyframes,
        match=MATCH,
        find_poses=lambda given: poses,
        progress=lambda *state: states.append(state),
    )
    assert [span.people for span in found.spans] == [poses[:2], poses[1:]]
    for span, pair in zip(found.spans, (keyframes[:2], keyframes[1:]), strict=True):
        assert torch.equal(span.matches.lines1, MATCH(*pair).lines1)
    assert "The keyframes show 1 person, nobody, 1 person." in caplog.text
    assert [line for line in caplog.messages if line.startswith("Keyframes")] == [
        "Keyframes 1 and 2:",
        "Keyframes 2 and 3:",
    ]
    assert states == [("conditions", done, 3) for done in range(4)]
