"""What files, editors and other programs hand over as poses."""

import copy
import json
import logging

import numpy as np
import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.pose import (
    canvas_size,
    complete_frames,
    first_canvas,
    frames_text,
    from_openpose,
    list_frames,
    read_people,
)

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


@pytest.mark.parametrize(
    ("factors", "unit"),
    [((1, 1), "pixels of a picture of 200 x 100"), ((200, 100), "fractions of the picture")],
)
def test_without_a_canvas_the_size_counts(caplog, factors: tuple, unit: str) -> None:
    """The log says how the numbers were understood."""
    caplog.set_level(logging.INFO)
    body = np.array(BODY).reshape(-1, 3) / (*factors, 1)
    frame = {"people": [{"pose_keypoints_2d": body.ravel().tolist()}]}
    people = read_people(frame, size=(100, 200), name="a")
    assert people.keypoints[0, 0].tolist() == pytest.approx([0.05, 0.2])
    assert "a: the poses do not name the size of their canvas." in caplog.text
    assert f"Their coordinates are taken as {unit}." in caplog.text
    caplog.clear()
    read_people({"people": []}, size=(100, 200), name="a")
    read_people(FRAME, size=(100, 200), name="a")
    assert not caplog.text


class TestCompleteFrames:
    def test_absent_parts_are_zeros(self) -> None:
        """And nothing else changes, also not the given value."""
        hand = [5.0, 6.0, 1.0] * 21
        person = {
            "pose_keypoints_2d": BODY,
            "face_keypoints_2d": None,
            "hand_left_keypoints_2d": [],
        }
        person |= {"hand_right_keypoints_2d": hand, "own": {"a": 1}}
        frame = {**FRAME, "people": [person, None, {}], "version": "ap10k"}
        before = copy.deepcopy(frame)
        (found,) = complete_frames(frame, name="a")
        assert frame == before and found["version"] == "ap10k"
        zeros = {"face_keypoints_2d": [0.0] * 210, "hand_left_keypoints_2d": [0.0] * 63}
        nobody = {"pose_keypoints_2d": [0.0] * 54, "hand_right_keypoints_2d": [0.0] * 63, **zeros}
        assert found["people"] == [{**person, **zeros}, nobody]

    def test_what_is_read_stays(self) -> None:
        (found,) = complete_frames(FRAME, name="a")
        read, wanted = from_openpose(found), from_openpose(FRAME)
        assert torch.equal(read.keypoints, wanted.keypoints)
        assert torch.equal(read.scores, wanted.scores)

    def test_the_size_of_a_canvas(self) -> None:
        """A given size is that of the frames without one."""
        frames = complete_frames([FRAME, {"people": []}], name="a", size=(50, 80))
        assert [canvas_size(frame) for frame in frames] == [(100, 200), (50, 80)]
        assert complete_frames({"people": []}, name="a") == [{"people": []}]

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ([FRAME, {"animals": []}], r"a does not hold poses \(frame 2\): .*contain animals"),
            (
                [{**FRAME, "canvas_width": -1}],
                r"a does not hold poses \(frame 1\): .*are 100 and -1",
            ),
            ([5], "a dictionary with `people`"),
            ([], "a is an empty list"),
        ],
    )
    def test_what_is_no_pose(self, value, message: str) -> None:
        with pytest.raises(UserError, match=message):
            complete_frames(value, name="a")


class TestFramesText:
    def test_one_frame_or_a_frame_on_each_line(self) -> None:
        assert frames_text([FRAME]) == json.dumps(FRAME) + "\n"
        text = frames_text([FRAME, {"people": []}])
        assert json.loads(text) == [FRAME, {"people": []}]
        assert text.splitlines()[2] == '{"people": []}'

    @pytest.mark.parametrize("kind", [np.array, torch.tensor, tuple])
    def test_from_other_packs(self, kind) -> None:
        frame = {"people": [{"pose_keypoints_2d": kind(BODY)}], "canvas_width": np.int64(200)}
        read = json.loads(frames_text([frame]))
        assert read == {"people": FRAME["people"], "canvas_width": 200}

    def test_what_json_can_not_hold(self) -> None:
        with pytest.raises(UserError, match="The poses hold a set, which JSON can't hold"):
            frames_text([{"people": {1}}])
