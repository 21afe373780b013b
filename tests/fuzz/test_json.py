"""JSON files, whatever is in them: what they are for, or one sentence with the file's name."""

import functools
import json
import logging
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mutation import as_json, changed, damaged, json_values, read_or_refuse, scalars

from fcvg_core.canvas import MAX_SIDE
from fcvg_core.errors import UserError
from fcvg_core.files.json_file import read_json
from fcvg_core.lines import (
    LineMatches,
    draw_lines,
    draw_matches,
    format_matches,
    interpolate_lines,
    match_colors,
    parse_matches,
)
from fcvg_core.motion import (
    Edits,
    Span,
    as_payload,
    format_edits,
    hold_still,
    merge_edits,
    parse_edits,
)
from fcvg_core.paths import path_points
from fcvg_core.pose import (
    POSES_FILE,
    STYLES,
    Poses,
    complete_frames,
    draw_on_frame,
    frames_text,
    from_openpose,
    nobody,
    to_openpose,
)
from fcvg_core.standalone.media.matches_file import read_matches
from fcvg_core.standalone.media.poses_file import read_poses
from fcvg_core.training.data.motion import ClipMotion

pytestmark = pytest.mark.filterwarnings("error")
LETTERS = '[]{}",:0123456789eE+-. \nulltrefas'
LINES = [[[0.5, 1], [20, 30.25]], [[8, 8], [-3, 70]]]
POSES_SIZE = (32, 48)
PEOPLE = Poses(
    torch.linspace(-0.2, 1.2, 536).reshape(2, 134, 2), torch.linspace(0, 1, 268).reshape(2, 134)
)
PARTS = [
    "pose_keypoints_2d",
    "face_keypoints_2d",
    "hand_left_keypoints_2d",
    "fcvg_keypoints",
    "fcvg_brightness",
]


def check_values(value: Any) -> None:
    """Values of JSON, with numbers that a file of this pack may hold."""
    if isinstance(value, dict):
        assert all(isinstance(key, str) for key in value)
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            check_values(inner)
    else:
        assert value is None or isinstance(value, (bool, int, float, str))
        assert not isinstance(value, float) or not math.isinf(value)
        assert not isinstance(value, int) or abs(value) < 2**64


def check_matches(matches: LineMatches) -> None:
    """They can be drawn, and written and read again."""
    again = parse_matches(json.loads(format_matches(matches)), name="x")
    assert format_matches(again) == format_matches(matches)
    assert torch.equal(again.lines0, matches.lines0) and torch.equal(again.ids, matches.ids)
    assert matches.lines0.isfinite().all() and matches.lines1.isfinite().all()
    assert all(isinstance(x, int) and 1 <= x <= MAX_SIDE for x in matches.size)
    # As large as it is in the tests; a run refuses matches of another size than its frames.
    matches = replace(matches, size=(64, 64))
    track = interpolate_lines(matches, torch.linspace(0, 1, 3))
    colors = match_colors(matches, 0)
    assert draw_lines(track, (64, 64), line_width=2, colors=colors).shape == (3, 64, 64, 3)
    black = np.zeros((64, 64, 3), np.uint8)
    drawn = draw_matches(black, black, matches, seed=0, removed=matches, show_ids=True)
    assert drawn.shape == (64, 128, 3)


def check_poses(poses: Poses) -> None:
    """They can be drawn."""
    assert all(x.isfinite().all() for x in (poses.keypoints, poses.scores, poses.brightness))
    assert poses.keypoints.abs().max().item() <= 1e6 if poses.num_people else True
    black = np.zeros((*POSES_SIZE, 3), np.uint8)
    drawn = draw_on_frame(black, poses, style=STYLES["fcvg"])
    assert drawn.shape == black.shape


def read_frames(path: Path) -> list[dict]:
    """As Load Pose JSON reads a file."""
    return complete_frames(read_json(path, expected=POSES_FILE), name=str(path))


def check_frames(frames: list[dict]) -> None:
    """They are written and read again, and another node reads them or says what is wrong."""
    text = frames_text(frames)
    again = json.loads(text)
    assert frames_text(again if isinstance(again, list) else [again]) == text
    for frame in frames:
        try:
            from_openpose(frame, size=POSES_SIZE)
        except UserError:
            continue


def read_edits(path: Path) -> Edits | None:
    """As Edit Motion reads its state."""
    return parse_edits(path.read_bytes().decode(errors="replace"), name=str(path))


def check_edits(edits: Edits) -> None:
    """They come back, and can be merged with what was found."""
    text = format_edits(edits)
    again = parse_edits(text, name="x")
    assert not text or (format_edits(again) == text and again.matches == edits.matches)
    lines = (torch.tensor(LINES), torch.tensor(LINES[::-1]))
    found = Span(LineMatches(*lines, size=POSES_SIZE), (PEOPLE, PEOPLE))
    merged = merge_edits(edits, found, POSES_SIZE)
    json.dumps(as_payload(merged), allow_nan=False)
    span = hold_still(merged.motion.spans[0], POSES_SIZE)
    assert all(poses.keypoints.isfinite().all() for poses in span.people)
    assert path_points(span.paths, torch.linspace(0, 1, 3)).shape[1] == len(edits.paths)
    assert len(merged.assigned["matches"]) + len(merged.stale["matches"]) <= len(edits.matches)


def read_motion(path: Path) -> ClipMotion:
    """As training reads a text of its cache."""
    return ClipMotion.from_text(path.read_bytes().decode(errors="replace"), name=str(path))


def check_motion(motion: ClipMotion) -> None:
    """It is written and read again."""
    again = ClipMotion.from_text(motion.to_text(), name="x")
    assert again.at == motion.at and again.num_lines == motion.num_lines


class Kind(NamedTuple):
    """A kind of JSON file: what is in a good one, and what its reader makes of it."""

    good: Any
    keys: list[str]  # that the reader looks for
    reader: Callable[[Path], Any]
    check: Callable[[Any], None]


PERSON = {
    key: x for key, x in to_openpose(PEOPLE, POSES_SIZE)["people"][0].items() if "fcvg" not in key
}
STATE = {
    "version": 2,
    "size": [48, 32],
    "by": "hand",
    "matches": [
        {
            "id": 7,
            "first": LINES[0],
            "last": LINES[1],
            "score": 0.25,
            "edit": "moved",
            "locked": True,
        }
        | {"found": {"first": LINES[0], "last": LINES[0]}, "ends": "kept", "note": ["a"]},
        {"id": 8, "first": LINES[1], "last": LINES[0], "edit": "drawn"},
    ],
    "people": [
        {"id": 0, "first": PERSON, "last": None, "edit": "drawn"},
        {"id": 1, "first": None, "last": None, "edit": "deleted"}
        | {"found": {"first": PERSON, "last": PERSON}},
    ],
    "paths": [{"id": 0, "points": [[1, 2], [3, 4], [5, 6], [7, 8]], "speed": [0, 0.2, 1]}],
    "holds": [{"id": 0, "points": [[0, 0], [30, 0], [30, 20.5]]}],
}
SPAN = {"version": 1, "size": [48, 32], "matches": [{"first": LINES[0], "last": LINES[1]}]}
KINDS = {
    "any": Kind(
        {"seed": 2**64 - 1, "size": [64, 1.5e3], "name": "\u00e9", "more": None},
        ["a", "b"],
        functools.partial(read_json, expected="a table"),
        check_values,
    ),
    "matches": Kind(
        {
            "version": 2,
            "size": [64, 48],
            "matched": 9,
            "by": "hand",
            "matches": [
                {"id": 7, "first": LINES[0], "last": LINES[1], "score": 0.25, "note": ["a"]},
                {"first": LINES[1], "last": LINES[0], "ends": "kept"},
                {"id": 3, "edit": "deleted"},
            ],
        },
        ["version", "size", "matches", "matched", "id", "first", "last", "score", "ends"],
        read_matches,
        check_matches,
    ),
    "older matches": Kind(
        {"size": [64, 64], "lines0": LINES, "lines1": LINES[::-1], "scores": [0.25, 1]},
        ["size", "lines0", "lines1", "scores"],
        read_matches,
        check_matches,
    ),
    "edits": Kind(
        STATE,
        [*STATE, "id", "first", "last", "edit", "found", "locked", "ends", "points", *PARTS],
        read_edits,
        check_edits,
    ),
    "poses": Kind(
        to_openpose(PEOPLE, POSES_SIZE),
        ["people", "canvas_width", "canvas_height", *PARTS],
        functools.partial(read_poses, size=POSES_SIZE),
        check_poses,
    ),
    "frames of poses": Kind(
        [to_openpose(PEOPLE, POSES_SIZE), {"people": []}],
        ["people", "canvas_width", "canvas_height", *PARTS],
        read_frames,
        check_frames,
    ),
    "motion of a clip": Kind(
        {
            "version": 1,
            "ends": {"matches": [SPAN], "people": [to_openpose(nobody(), POSES_SIZE)] * 2},
            "chain": {"matches": [SPAN, SPAN], "people": None},
            "at": [0, 4, 9],
        },
        ["version", "ends", "chain", "at", "matches", "people", "size", "canvas_width", *PARTS],
        read_motion,
        check_motion,
    ),
}
every_kind = pytest.mark.parametrize("name", KINDS)


@pytest.fixture(autouse=True)
def no_warnings_in_the_log():
    """Readers tell what they leave out, hundreds of times here."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def read(path: Path, name: str, content: bytes) -> Any:
    kind = KINDS[name]
    found = read_or_refuse(path, content, kind.reader)
    if found is not None:
        kind.check(found)
    return found


@every_kind
@given(data=st.data())
def test_changed_values(tmp_path, name, data):
    read(tmp_path / "x.json", name, as_json(data.draw, data.draw(changed(KINDS[name].good))))


@every_kind
@given(data=st.data())
def test_other_values(tmp_path, name, data):
    read(tmp_path / "x.json", name, as_json(data.draw, data.draw(json_values(KINDS[name].keys))))


@every_kind
@given(data=st.data())
def test_damaged_files(tmp_path, name, data):
    read(tmp_path / "x.json", name, data.draw(damaged(json.dumps(KINDS[name].good).encode())))


@given(st.one_of(st.binary(), st.text(alphabet=LETTERS).map(str.encode)))
def test_anything(tmp_path, content):
    read(tmp_path / "x.json", "any", content)


@given(st.sampled_from(["[", '{"a":', "[[", '[{"a":[']), st.integers(1, 200_000))
def test_nested_ever_deeper(tmp_path, opening, depth):
    """It is never read; the sentence says what was expected."""
    path = tmp_path / "x.json"
    path.write_bytes((opening * depth).encode())
    with pytest.raises(UserError, match="expected a table"):
        KINDS["any"].reader(path)


class TestMatches:
    numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)
    ends = st.tuples(numbers, numbers).map(list)
    lines = st.lists(st.tuples(ends, ends).map(list), max_size=4)

    @given(lines)
    def test_any_lines(self, tmp_path, values):
        """They come back bit for bit, and are drawn wherever they lie."""
        path = tmp_path / "m.json"
        both = [
            torch.tensor(x, dtype=torch.float32).reshape(-1, 2, 2) for x in (values, values[::-1])
        ]
        path.write_text(format_matches(LineMatches(*both, size=(64, 64))))
        found = read(path, "matches", path.read_bytes())
        assert torch.equal(found.lines0, both[0]) and torch.equal(found.lines1, both[1])


class TestPoses:
    numbers = st.one_of(scalars, st.floats(-3, 3), st.floats(-100, 100))
    # A part as a file gives it: few numbers, many times over.
    parts = st.builds(
        lambda few, points: (few * 210)[: 3 * points],
        st.lists(numbers, min_size=1, max_size=3),
        st.sampled_from([0, 1, 6, 17, 18, 21, 25, 68, 69, 70, 134]),
    )
    people = st.dictionaries(st.sampled_from(PARTS), st.one_of(parts, numbers), max_size=4)
    side = st.one_of(st.integers(1, 300), numbers)
    frames = st.fixed_dictionaries(
        {"people": st.lists(people, max_size=3)},
        optional={"canvas_width": side, "canvas_height": side},
    )

    @given(data=st.data())
    def test_other_people(self, tmp_path, data):
        read(tmp_path / "p.json", "poses", as_json(data.draw, data.draw(self.frames)))

    @given(frames)
    def test_values_of_other_packs(self, frame):
        """They have never been a file: numbers are not even bounded."""
        try:
            check_poses(from_openpose(frame, size=POSES_SIZE))
        except UserError as error:
            assert len(str(error)) < 500
