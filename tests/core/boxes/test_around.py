"""Boxes around people and matched lines, and boxes on frames of another size."""

import numpy as np
import pytest
import torch
from drawn_people import walker
from pose_cases import person

from fcvg_core.boxes import (
    BoxTrack,
    BoxTracks,
    around_lines,
    around_person,
    around_points,
    fit_boxes,
)
from fcvg_core.errors import UserError
from fcvg_core.frames import fit_frame
from fcvg_core.lines import LineMatches
from fcvg_core.pose import nobody, stack_frames, stack_padded


def test_around_points() -> None:
    points = np.array([[[0.2, 0.4], [0.4, 0.5], [9, 9]], [[0.9, 0.9], [1.5, 2], [0, 0]]] * 2)
    points[3, :2] = np.nan
    seen = np.array([[True, True, False]] * 2 + [[False, True, False]] + [[True, True, False]])
    track = around_points(points, seen, label="dog", margin=0.1)
    assert np.allclose(track.boxes[0], [0.18, 0.39, 0.42, 0.51])
    assert np.allclose(track.boxes[1], [0.84, 0.79, 1, 1])
    assert track.present.tolist() == [True, True, False, False]  # a point alone, none at all


def test_around_a_person() -> None:
    frames = [walker(time, at=(0.3 + time / 10, 0.5)) for time in range(3)]
    poses = stack_padded([*frames, nobody()])
    track = around_person(poses)
    assert track.present.tolist() == [True, True, True, False] and track.label == "person"
    middle = track.boxes[:3, [0, 2]].mean(axis=1)
    assert middle == pytest.approx([0.3, 0.4, 0.5], abs=0.05)
    points = poses.keypoints[:3, 0].numpy()[:, 8]  # a hip
    assert (points > track.boxes[:3, :2]).all() and (points < track.boxes[:3, 2:]).all()


def test_around_a_person_who_is_not_there() -> None:
    poses = stack_frames([person(), person()])
    with pytest.raises(UserError, match="no person 1 among 1; expected a number from 0 to 0"):
        around_person(poses, 1)
    with pytest.raises(UserError, match="The poses show nobody"):
        around_person(stack_frames([nobody()]))


def test_around_lines() -> None:
    first = torch.tensor([[[10.0, 10], [30, 20]], [[20, 40], [20, 50]], [[90, 90], [99, 99]]])
    matches = LineMatches(first, first + 40, (100, 200), ids=torch.tensor([3, 8, 9]))
    track = around_lines(matches, 3, label="house", ids=(3, 8))
    assert np.allclose(track.boxes[0], [0.05, 0.1, 0.15, 0.5])
    assert np.allclose(track.boxes[1], [0.15, 0.3, 0.25, 0.7])
    assert around_lines(matches, 3, label="house").boxes[0, 3] == pytest.approx(0.99)
    with pytest.raises(UserError, match=r"no matched line with one of the ids \[4\]"):
        around_lines(matches, 3, label="house", ids=[4])


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("anchor", ["center", "top-left"])
def test_boxes_stay_on_what_they_show(fit: str, anchor: str) -> None:
    frame = np.zeros((120, 300, 3), np.uint8)
    frame[30:90, 30:140] = 255
    track = BoxTrack("dog", [[30 / 300, 30 / 120, 140 / 300, 90 / 120], [0, 0, 0.01, 1], [0] * 4])
    fitted = fit_boxes(BoxTracks((track,), 3), (120, 300), (128, 128), fit, anchor).tracks[0]
    rows, columns = (fit_frame(frame, (128, 128), fit, anchor)[..., 0] > 127).nonzero()
    found = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / 128
    assert np.abs(fitted.boxes[0] - found).max() < 1.01 / 128
    cut = fit == "crop" and anchor == "center"
    assert fitted.present.tolist() == [True, not cut, False]
