"""What files, editors and other programs hand over as poses."""

import json
import logging

import pytest

from fcvg_core.errors import UserError
from fcvg_core.pose import first_canvas, list_frames, read_people

BODY = [n for i in range(18) for n in (10.0 + i, 20.0 + i, 1.0)]
FRAME = {"people": [{"pose_keypoints_2d": BODY}], "canvas_width": 200, "canvas_height": 100}


@pytest.mark.parametrize(
    "value", [FRAME, [FRAME], (FRAME,), json.dumps(FRAME), json.dumps([FRAME])]
)
def test_list_frames(value) -> None:
    assert list_frames(value, name="a") == [FRAME]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "a is an empty list: expected the poses of at least one frame"),
        ("[]", "a is an empty list"),
        ("text", "a is text, but not JSON"),
    ],
)
def test_no_frames(value, message: str) -> None:
    with pytest.raises(UserError, match=message):
        list_frames(value, name="a")


def test_first_canvas() -> None:
    assert first_canvas([{"people": []}, FRAME, {**FRAME, "canvas_width": 1}]) == (100, 200)
    assert first_canvas([{"people": []}]) is None and first_canvas([]) is None
    with pytest.raises(UserError, match="a dictionary with `people`"):
        first_canvas([5])


@pytest.mark.parametrize(("size", "told"), [((50, 100), False), ((100, 100), True)])
def test_read_people(caplog, size: tuple[int, int], told: bool) -> None:
    caplog.set_level(logging.WARNING)
    people = read_people(FRAME, size=size, name="a.json")
    assert people.keypoints[0, 0].tolist() == pytest.approx([0.05, 0.2])
    message = "a.json: poses of a canvas of 200 x 100 are stretched to 100 x 100 pixels."
    assert (message in caplog.text) == told


def test_without_a_canvas_the_size_counts(caplog) -> None:
    people = read_people({"people": FRAME["people"]}, size=(100, 200), name="a")
    assert people.keypoints[0, 0].tolist() == pytest.approx([0.05, 0.2]) and not caplog.text
