"""Boxes of detectors and of ComfyUI's canvas -> boxes of one object."""

import numpy as np
import pytest

from fcvg_core.boxes import (
    box_overlap,
    detected_keys,
    detected_label,
    detected_track,
    interpolate_boxes,
    list_detections,
    pick_object,
)
from fcvg_core.errors import UserError

SIZE = (100, 200)


def box(x: float, y: float = 0, width: float = 40, height: float = 50, **more) -> dict:
    return {"x": x, "y": y, "width": width, "height": height, **more}


ONE = box(10)


@pytest.mark.parametrize("found", [ONE, [ONE], [[ONE]], [[box(np.float32(10))]]])
def test_one_picture(found):
    assert list_detections(found, name="first_box") == [[ONE]]


def test_several_pictures():
    found = [[box(1), box(2)], [], None, (box(3),)]
    assert list_detections(found, name="x") == [[box(1), box(2)], [], [], [box(3)]]


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([], "first_box holds no box"),
        ([[], []], "holds no box; expected at least one"),
        (None, "first_box is None; expected a box x, y, width, height"),
        ("0,0,9,9", "is '0,0,9,9'; expected a box"),
        ([3], "is \\[3\\]"),
        ({"x": 1, "y": 2}, "a box of picture 1 is"),
        ([[ONE], [ONE, [1, 2, 3, 4]]], "a box of picture 2 is \\[1, 2"),
        ([box(True)], "expected numbers x, y, width and height"),
        ([[ONE] * 1001], "up to 1001 boxes"),
    ],
)
def test_bad_values(found, message):
    with pytest.raises(UserError, match=message):
        list_detections(found, name="first_box")


class TestPickObject:
    def test_the_object_is_followed(self):
        frames = [[], [box(0), box(100)], [box(110), box(5)], [box(60, 60)], [box(120), box(8)]]
        found = pick_object(frames, 1, label="", name="x")
        assert found == [None, box(0), box(5), None, box(8)]
        found = pick_object(frames, 2, label="", name="x")
        assert found == [None, box(100), box(110), None, box(120)]

    def test_a_lone_box_may_jump(self):
        frames = [[box(0)], [], [box(150)]]
        assert pick_object(frames, 1, label="", name="x") == [box(0), None, box(150)]

    def test_labels_choose(self):
        frames = [[box(0, label="Cat"), box(50, label="dog")], [box(0, label="cat")]]
        assert pick_object(frames, 1, label="dog", name="x") == [frames[0][1], None]
        assert pick_object(frames, 1, label=" cat ", name="x") == [frames[0][0], frames[1][0]]
        assert pick_object(frames, 1, label="my pet", name="x") == [frames[0][0], frames[1][0]]

    def test_too_few_boxes(self):
        with pytest.raises(UserError, match="Box 3 is asked for, but x has at most 1 in a pic"):
            pick_object([[box(0)], []], 3, label="", name="x")


def test_the_label_is_the_own_one_or_the_detector_s():
    boxes = [None, box(0), box(0, label="dog")]
    assert detected_label(boxes, "") == "dog" and detected_label(boxes, "cat") == "cat"
    assert detected_label([box(0, label=3)], " ") == ""


def test_track():
    track = detected_track([box(20), None, box(180), box(0, 0, 0, 5)], SIZE, label="dog", name="x")
    assert track.present.tolist() == [True, False, True, False]
    assert np.allclose(track.boxes[[0, 2]], [[0.1, 0, 0.3, 0.5], [0.9, 0, 1, 0.5]])


def test_key_boxes_may_leave_the_frame():
    keys = detected_keys([box(0), box(200)], (0, 4), SIZE, label="dog", name="x")
    track = interpolate_boxes(keys, 5)
    assert track.present.tolist() == [True] * 4 + [False]
    assert np.allclose(track.boxes[2], [0.5, 0, 0.7, 0.5])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (box(float("nan")), "box 1 is nan,0,40,50; expected four finite numbers"),
        (box(0, 0, -5), "is reversed"),
        (box(0, 0, 0), "has no area"),
    ],
)
def test_bad_key_boxes(bad, message):
    with pytest.raises(UserError, match=message):
        detected_keys([bad], (0,), SIZE, label="dog", name="first_box")


def test_overlap():
    assert box_overlap([0, 0, 2, 2], [1, 0, 3, 2]) == pytest.approx(1 / 3)
    assert box_overlap([0, 0, 1, 1], [1, 1, 2, 2]) == 0 and box_overlap([0] * 4, [0] * 4) == 0
    many = box_overlap([0, 0, 1, 1], [[0, 0, 1, 1], [0, 0, 0.5, 1]])
    assert np.allclose(many, [1, 0.5])
