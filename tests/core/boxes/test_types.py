"""Tracks of boxes: what they hold, and several of them together."""

import logging

import numpy as np
import pytest

from fcvg_core.boxes import (
    BoxTrack,
    BoxTracks,
    check_count,
    check_size,
    join_tracks,
    report_boxes,
    stack_padded,
)
from fcvg_core.errors import UserError

DOG = BoxTrack("dog", [[0.1, 0.2, 0.5, 0.6], [0, 0, 0, 0]], np.array([True, False]))
CAT = BoxTrack("cat", np.array([[0, 0, 1, 1], [0.5, 0.5, 0.6, 0.7]]))


def test_absent_boxes_are_zeros() -> None:
    boxes = [[np.nan, 0, 1, 1], [0.3, 0.2, 0.3, 0.4], [0, 0, 1, 1], [0.5, 0.5, 0.6, 0.6]]
    track = BoxTrack("dog", boxes, np.array([True, True, True, False]))
    assert track.present.tolist() == [False, False, True, False] and track.num_frames == 4
    assert track.boxes.dtype == np.float32 and not track.boxes[[0, 1, 3]].any()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("dog", np.zeros((2, 3))), r"expected boxes \[T, 4\], got \[2, 3\]"),
        (("dog", np.zeros((2, 4)), np.ones(3, bool)), r"expected present \[2\] bool"),
        (("dog", np.zeros((2, 4)), np.ones(2)), r"expected present \[2\] bool"),
        (("dog", [[0.5, 0, 0.2, 1]]), "expected boxes x1 < x2"),
        (("dog", [[0, 0, 1, 1.5]]), r"in 0\.\.1"),
        ((" ", np.zeros((2, 4))), "label of a track is ' '; expected the object in a few words"),
        ((None, np.zeros((2, 4))), "label of a track is None"),
        (("a" * 201, np.zeros((2, 4))), "at most 200 characters"),
    ],
)
def test_impossible_tracks(values, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BoxTrack(*values)


def test_one_number_of_frames() -> None:
    with pytest.raises(ValueError, match=r"expected tracks of 3 frames, got \[2\]"):
        BoxTracks((DOG,), 3)
    with pytest.raises(UserError, match="box tracks of 2, 5 frames; expected tracks of one number"):
        join_tracks([BoxTracks((DOG,), 2), BoxTracks((), 5)])
    with pytest.raises(UserError, match="Found box tracks of no tracks"):
        join_tracks([])
    assert join_tracks([BoxTracks((DOG,), 2), BoxTracks((CAT,), 2)]).labels == ["dog", "cat"]


def test_padding() -> None:
    boxes, present = stack_padded(BoxTracks((DOG, CAT), 2), 8)
    assert boxes.shape == (2, 8, 4) and boxes.dtype == np.float32
    assert present.tolist() == [[True, True] + [False] * 6, [False, True] + [False] * 6]
    assert (boxes[:, 0] == DOG.boxes).all() and not boxes[:, 2:].any()
    assert stack_padded(BoxTracks((DOG, CAT), 2))[0].shape == (2, 2, 4)
    boxes, present = stack_padded(BoxTracks((), 3))  # an absent object, so that there is a token
    assert boxes.shape == (3, 1, 4) and not present.any()


def test_too_many_objects() -> None:
    check_count(BoxTracks((DOG,) * 8, 2), 8, name="SMCD")
    with pytest.raises(UserError, match="9 box tracks, but SMCD takes 8 objects at most: leave"):
        check_count(BoxTracks((DOG,) * 9, 2), 8, name="SMCD")


def test_frames_of_other_proportions() -> None:
    check_size((720, 1280), (360, 640), "a.json")
    with pytest.raises(UserError, match="a.json holds boxes of frames of 1280 x 720 .* 256 x 256"):
        check_size((720, 1280), (256, 256), "a.json")


def test_report(caplog) -> None:
    caplog.set_level(logging.INFO)
    report_boxes(BoxTracks((DOG, CAT), 2))
    report_boxes(BoxTracks((), 2))
    assert caplog.messages == [
        "Box tracks: 2 (dog in 1 of 2 frames; cat in all 2 frames).",
        "There are no boxes: no object steers the video.",
    ]
