"""A file of poses, whatever is in it: people who can be drawn, or one sentence."""

import functools
import logging

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mutation import as_json, changed, damaged, json_values, read_or_refuse, scalars

from fcvg_core.errors import UserError
from fcvg_core.pose import STYLES, Poses, draw_on_frame, from_openpose, to_openpose
from fcvg_core.standalone.media.poses_file import read_poses, write_poses

pytestmark = pytest.mark.filterwarnings("error")
SIZE = (32, 48)
KEYS = [
    "people",
    "canvas_width",
    "canvas_height",
    "pose_keypoints_2d",
    "face_keypoints_2d",
    "hand_left_keypoints_2d",
    "fcvg_keypoints",
    "fcvg_brightness",
]
POINTS = torch.linspace(-0.2, 1.2, 536).reshape(2, 134, 2)
SOME = Poses(POINTS, torch.linspace(0, 1, 268).reshape(2, 134))
GOOD = to_openpose(SOME, SIZE)
numbers = st.one_of(scalars, st.floats(-3, 3), st.floats(-100, 100))


@st.composite
def parts(draw: st.DrawFn) -> object:
    """A part as a file gives it: few numbers, many times over."""
    few = draw(st.lists(numbers, min_size=1, max_size=3))
    return (few * 210)[: 3 * draw(st.sampled_from([0, 1, 6, 17, 18, 21, 25, 68, 69, 70, 134]))]


people = st.dictionaries(st.sampled_from(KEYS[3:]), st.one_of(parts(), numbers), max_size=4)
frames = st.fixed_dictionaries(
    {"people": st.lists(people, max_size=3)},
    optional={name: st.one_of(st.integers(1, 300), numbers) for name in KEYS[1:3]},
)


@given(st.data())
def test_changed_values(tmp_path, data):
    read(tmp_path / "p.json", as_json(data.draw, data.draw(changed(GOOD))))


@given(st.data())
def test_other_values(tmp_path, data):
    read(tmp_path / "p.json", as_json(data.draw, data.draw(json_values(KEYS))))


@given(st.data())
def test_other_people(tmp_path, data):
    read(tmp_path / "p.json", as_json(data.draw, data.draw(frames)))


@given(st.data())
def test_damaged_files(tmp_path, data):
    write_poses(tmp_path / "p.json", SOME, SIZE)
    read(tmp_path / "p.json", data.draw(damaged((tmp_path / "p.json").read_bytes())))


@given(frames)
def test_values_of_other_packs(frame):
    """They have never been a file: numbers are not even bounded."""
    try:
        check(from_openpose(frame, size=SIZE))
    except UserError as error:
        assert len(str(error)) < 500


def read(path, content: bytes) -> None:
    logging.disable(logging.WARNING)
    try:
        poses = read_or_refuse(path, content, functools.partial(read_poses, size=SIZE))
        if poses is not None:
            check(poses)
    finally:
        logging.disable(logging.NOTSET)


def check(poses: Poses) -> None:
    assert all(x.isfinite().all() for x in (poses.keypoints, poses.scores, poses.brightness))
    assert poses.keypoints.abs().max().item() <= 1e6 if poses.num_people else True
    black = np.zeros((*SIZE, 3), np.uint8)
    drawn = draw_on_frame(black, poses, style=STYLES["fcvg"])
    assert drawn.shape == black.shape
