"""The state of Edit Motion as a text: its form, what comes back, what is refused and where."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fcvg_core.errors import UserError
from fcvg_core.motion import Edits, edits_json, format_edits, parse_edits

LINE = [[0, 1], [2, 3]]
OTHER = [[4, 5.5], [6, 7]]
FOUND = {"first": LINE, "last": LINE}
MATCH = {"id": 7, "first": LINE, "last": OTHER}
BODY = [10, 20, 1] + 17 * [30.5, 40, 0.9]
PERSON = {"pose_keypoints_2d": BODY, "face_keypoints_2d": None}
SOMEBODY = {"id": 3, "first": PERSON, "last": None}
PATH = {"id": 0, "points": [[1, 2], [3, 4], [5, 6], [7.5, 8]], "speed": [0, 0.2, 1]}
HOLD = {"id": 4, "points": [[0, 0], [9, 0], [9, 9.5]]}
GOOD = {"version": 2, "size": [90, 80]}


def read(values: object) -> Edits | None:
    return parse_edits(values if isinstance(values, str) else json.dumps(values), name="state")


def rows(edits: Edits) -> tuple:
    """All values of edits, which can be compared."""
    paths = [(x.id, x.points.tolist(), x.speed, x.notes) for x in edits.paths]
    holds = [(x.id, x.points.tolist(), x.notes) for x in edits.holds]
    return edits.size, edits.matches, edits.people, paths, holds, edits.notes


class TestForm:
    TEXT = (
        '{"version": 2, "size": [90, 80], "by": "hand", "matches": [\n'
        '{"id": 7, "first": [[0, 1], [2, 3]], "last": [[4, 5.5], [6, 7]], "score": 0.9, '
        '"edit": "moved", "found": {"first": [[0, 1], [2, 3]], "last": [[0, 1], [2, 3]]}, '
        '"ends": "kept", "locked": true, "note": "roof"},\n'
        '{"id": 99999, "first": [[0, 1], [2, 3]], "last": [[4, 5.5], [6, 7]], "edit": "drawn"}\n'
        '], "paths": [\n'
        '{"id": 0, "points": [[1, 2], [3, 4], [5, 6], [7.5, 8]], "speed": [0, 0.2, 1], "a": 1}\n'
        '], "holds": [\n'
        '{"id": 4, "points": [[0, 0], [9, 0], [9, 9.5]], "name": "wall"}\n'
        "]}\n"
    )

    def test_one_row_a_line_and_the_same_text_comes_back(self) -> None:
        edits = read(self.TEXT)
        assert format_edits(edits) == self.TEXT
        moved, drawn = edits.matches
        assert moved.found == (((0, 1), (2, 3)),) * 2 and moved.kept_ends and moved.locked
        assert moved.notes == {"note": "roof"} and moved.score == 0.9
        assert drawn.origin is None and drawn.always_counts and drawn.score is None
        assert edits.size == (80, 90) and edits.notes == {"by": "hand"}
        assert edits.paths[0].notes == {"a": 1} and edits.holds[0].notes == {"name": "wall"}

    def test_nothing_is_changed(self) -> None:
        assert read("") is None and read(" \n") is None
        assert format_edits(read(GOOD)) == ""
        assert format_edits(read(GOOD | {"matches": [], "people": []})) == ""

    def test_people(self) -> None:
        deleted = {"id": 1, "first": None, "last": None, "edit": "deleted"}
        deleted["found"] = {"first": PERSON, "last": None}
        edits = read(GOOD | {"people": [SOMEBODY | {"edit": "drawn", "x": [None]}, deleted]})
        assert edits.people[0].first == PERSON and edits.people[0].last is None
        assert edits.people[1].found == (PERSON, None)
        assert rows(read(format_edits(edits))) == rows(edits)
        assert format_edits(edits).count("\n") == 4

    def test_a_row_that_says_nothing_but_what_was_found(self) -> None:
        (row,) = read(GOOD | {"matches": [MATCH]}).matches
        assert row.origin == (row.first, row.last) and not row.always_counts

    def test_keys_that_are_not_known_may_hold_anything(self) -> None:
        deep = {"deep": [{"a": [None, True, "\u00e9"]}]}
        values = GOOD | deep | {"people": [SOMEBODY | deep], "matches": [MATCH | deep]}
        again = json.loads(format_edits(read(values)))
        assert again["deep"] == again["people"][0]["deep"] == again["matches"][0]["deep"]


numbers = st.one_of(
    st.integers(-(2**40), 2**40), st.floats(width=32, allow_nan=False, allow_infinity=False)
)
near = st.floats(-(2.0**20), 2.0**20)
points = st.lists(numbers, min_size=2, max_size=2)
lines = st.lists(points, min_size=2, max_size=2)
both_lines = st.fixed_dictionaries({"first": lines, "last": lines})
bodies = st.lists(numbers, min_size=1, max_size=4).map(
    lambda few: {"pose_keypoints_2d": (few * 54)[:54]}
)
both_bodies = st.fixed_dictionaries({"first": bodies, "last": st.one_of(st.none(), bodies)})
notes = st.dictionaries(st.sampled_from(["note", "hidden"]), st.text(max_size=3))


@st.composite
def edit_rows(draw: st.DrawFn, places: st.SearchStrategy) -> list[dict]:
    """Up to three edits of one kind."""
    made = []
    for number in draw(st.lists(st.integers(0, 99_999), max_size=3, unique=True)):
        row = {"id": number} | draw(places) | draw(notes)
        edit = draw(st.sampled_from(["moved", "deleted", "drawn", None]))
        row |= {"edit": edit} if edit else {}
        row |= {"found": draw(places)} if edit in ("moved", "deleted") else {}
        row |= {"locked": True} if draw(st.booleans()) else {}
        made.append(row)
    return made


@st.composite
def states(draw: st.DrawFn) -> dict:
    """A whole state."""
    matches = draw(edit_rows(both_lines))
    for row in matches:
        row |= {"ends": "kept"} if draw(st.booleans()) else {}
        row |= {"score": draw(st.floats(0, 1))} if draw(st.booleans()) else {}
    corners = st.lists(st.lists(near, min_size=2, max_size=2), min_size=3, max_size=5)
    holds = [{"id": i, "points": x} for i, x in enumerate(draw(st.lists(corners, max_size=2)))]
    size = draw(st.lists(st.integers(1, 4096), min_size=2, max_size=2))
    people = draw(edit_rows(both_bodies))
    return {"version": 2, "size": size, "matches": matches, "people": people, "holds": holds}


@settings(max_examples=40, deadline=None)
@given(states())
def test_any_state_comes_back_exactly(state) -> None:
    edits = read(state)
    text = format_edits(edits)
    if any(state[key] for key in ("matches", "people", "holds")):
        assert rows(read(text)) == rows(edits) and format_edits(read(text)) == text
    else:
        assert text == ""


@settings(max_examples=40, deadline=None)
@given(states(), st.tuples(st.integers(1, 4096), st.integers(1, 4096)))
def test_another_size_and_back(state, size) -> None:
    edits = read(state)
    scaled = edits.scaled(size)
    assert scaled.size == size and edits.scaled(edits.size) is edits
    back = scaled.scaled(edits.size)
    for row, again in zip(edits.matches, back.matches, strict=True):
        for name in ("first", "last", "found"):
            values = getattr(row, name), getattr(again, name)
            assert values[0] is None or np.allclose(*values, rtol=1e-9)
    for row, again in zip(edits.people, back.people, strict=True):
        assert np.allclose(*(x.first["pose_keypoints_2d"] for x in (row, again)), rtol=1e-9)
    for row, again in zip(edits.holds, back.holds, strict=True):
        assert np.allclose(row.points, again.points, rtol=1e-9, atol=1e-9)


def test_scaled_by_hand() -> None:
    values = {"matches": [MATCH | {"edit": "moved", "found": FOUND}], "people": [SOMEBODY]}
    edits = read(GOOD | values | {"paths": [PATH], "holds": [HOLD]}).scaled((160, 270))
    assert edits.matches[0].last == ((12, 11), (18, 14))
    assert edits.matches[0].found == (((0, 2), (6, 6)),) * 2
    assert edits.people[0].first["pose_keypoints_2d"][:6] == [30, 40, 1, 91.5, 80, 0.9]
    assert edits.people[0].first["face_keypoints_2d"] is None and edits.people[0].last is None
    assert edits.paths[0].points[3].tolist() == [22.5, 16]
    assert edits.holds[0].points.tolist() == [[0, 0], [27, 0], [27, 19]]


NOT_LINES = ([0, 1, 2, 3], [[0, 1], [2]], [["0", 1], [2, 3]], [[True, 1], [2, 3]], "x", None, {})
BAD = float("nan"), 1e39, -1e300
BODY_NAME = "pose_keypoints_2d of first of person 1"
BAD_LINES = [
    *(({"last": x}, r"last of match 1 is .*, not \[\[x, y\], \[x, y\]\]") for x in NOT_LINES),
    *(({"first": [[x, 1], [2, 3]]}, "first of match 1 has NaN or infinite") for x in BAD),
    *(({"id": x}, "id of match 1 is .*; expected 0 to 99999") for x in (-1, 10**5, "7", 1.0)),
    *(
        ({"edit": x}, "edit of match 1 is .*; expected moved, del")
        for x in ("", None, 1, ["moved"])
    ),
    *(({"edit": x}, f"match 1 lacks found, which says what was {x}") for x in ("moved", "deleted")),
    ({"edit": "drawn", "found": FOUND}, "match 1 has found, but a drawn row belongs to nothing"),
    ({"found": {"first": LINE}}, "found of match 1 lacks last"),
    ({"found": {"first": LINE, "last": 5}}, "last of found of match 1 is 5, not"),
    *(({"found": x}, "found of match 1 is .*, not a dictionary") for x in ([], 5, "a", True)),
    *(({"locked": x}, "locked of match 1 is .*; expected true or") for x in (1, "yes", None, [])),
    *(({"ends": x}, 'ends of match 1 is .*; expected "kept"') for x in ("swapped", None, True)),
    *(({"score": x}, r"score of match 1 is .* in 0\.\.1") for x in (-0.1, 1.1, "1", True, BAD[0])),
]
BAD_PEOPLE = [
    *(
        ({"first": x}, "first of person 1 is .*OpenPose person, or null")
        for x in ([], 5, "a", True)
    ),
    ({"first": None}, "person 1 has neither first nor last"),
    ({"found": {"first": None, "last": None}}, "found of person 1 has neither first nor last"),
    *(
        ({"first": {"pose_keypoints_2d": x}}, f"{BODY_NAME} is not a list of numbers")
        for x in (5, "a", {}, [None] * 54, [True] * 54, ["1"] * 54, [[1, 2, 1]] * 18)
    ),
    ({"first": {"pose_keypoints_2d": BODY[:-1]}}, f"{BODY_NAME} has 53 numbers; expected 54 or 75"),
    *(
        ({"first": {"pose_keypoints_2d": [*BODY[:-1], x]}}, f"{BODY_NAME} has NaN or infinite")
        for x in BAD
    ),
]
BAD_HOLDS = [
    *(({"points": x}, "points of hold 1 is .*; expected 3 corners") for x in (5, None, "abc", {})),
    ({"points": [[1, 2]] * 10_001}, "points of hold 1 has 10001 points, more than 10000"),
    ({"points": LINE}, "points of hold 1 has 2 points; expected 3 corners or more"),
    *(
        ({"points": [*LINE, x]}, r"points of hold 1 has .*; expected \[x, y\] with numbers from")
        for x in ([1], [1, "2"], [True, 2], 5, [BAD[0], 1], [1e7, 0], [0, 1, 2])
    ),
]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        *(({"matches": [MATCH | x]}, reason) for x, reason in BAD_LINES),
        *(({"people": [SOMEBODY | x]}, reason) for x, reason in BAD_PEOPLE),
        *(({"holds": [HOLD | x]}, reason) for x, reason in BAD_HOLDS),
        *(
            ({key: x}, f"{key} is .*, not a list")
            for key in ("matches", "people", "holds")
            for x in (None, 5, "a", {})
        ),
        *(
            ({key: [good, x]}, f"{noun} 2 is .*, not a dictionary")
            for key, noun, good in (
                ("matches", "match", MATCH),
                ("people", "person", SOMEBODY),
                ("holds", "hold", HOLD),
            )
            for x in (None, 5, "a", [])
        ),
        ({"matches": [MATCH, MATCH]}, "several matches have the id 7"),
        ({"people": [SOMEBODY, SOMEBODY]}, "several people have the id 3"),
        ({"holds": [HOLD, HOLD]}, "several holds have the id 4"),
        ({"matches": [{"first": LINE, "last": LINE}]}, "match 1 lacks id"),
        ({"matches": [MATCH, {"id": 1, "last": LINE}]}, "match 2 lacks first"),
        ({"people": [{"id": 1, "first": None}]}, "person 1 lacks last"),
        ({"holds": [{"id": 1}]}, "hold 1 lacks points"),
        *(({"version": x}, "version is .*; expected 2") for x in (1, 0, "2", None, True, 2.5)),
        *(({"size": x}, "size is .*; expected two whole") for x in ([9], [0, 9], "99", [9, True])),
    ],
)
def test_other_values(changes, reason) -> None:
    with pytest.raises(UserError, match=rf"^state does not hold edits .*\(.*{reason}") as error:
        read(GOOD | changes)
    assert len(str(error.value)) < 400
    assert str(error.value).endswith("lists of matches, people, paths and holds.")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"points": [[0, 0], [1, 1]]}, "points of path 1 has 2 points"),
        ({"speed": [0, 2]}, "speed of path 1 is"),
        ({"points": [[float("nan"), 0]]}, "points of path 1 has"),
    ],
)
def test_other_paths(row, reason) -> None:
    with pytest.raises(UserError, match=rf"^state does not hold paths \(.*{reason}"):
        read(GOOD | {"paths": [PATH | row]})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "it is a list, not a dictionary"),
        ("5", "it is a int, not a dictionary"),
        ("{}", "it lacks size, version"),
        ('{"version": 2}', "it lacks size"),
        ("{,}", "Expecting property name"),
        ("matches", "Expecting value"),
        ('{"version": 2, "version": 2}', "it contains the name 'version' twice"),
        ('{"version": 2, "size": [9, Infinity]}', "the number Infinity is too large"),
        ("[" * 200_000, "it is nested too deeply"),
    ],
)
def test_other_texts(text, reason) -> None:
    with pytest.raises(UserError, match=rf"^state does not hold edits .*\({reason}"):
        read(text)


def test_a_newer_version() -> None:
    with pytest.raises(UserError, match=r"^state holds .* version 3, .* reads version 2: update"):
        read({"version": 3, "matches": "of another form"})


@pytest.mark.parametrize(
    ("key", "limit", "row"),
    [
        ("matches", "MAX_LINES", MATCH),
        ("people", "MAX_PEOPLE", SOMEBODY),
        ("holds", "MAX_HOLDS", HOLD),
    ],
)
def test_too_many_rows(monkeypatch, key, limit, row) -> None:
    monkeypatch.setattr(edits_json, limit, 2)
    good = [row | {"id": i} for i in range(3)]
    assert len(getattr(read(GOOD | {key: good[:2]}), key)) == 2
    with pytest.raises(UserError, match=f"{key} has 3 rows, more than 2"):
        read(GOOD | {key: good})


def test_edits_of_no_size() -> None:
    with pytest.raises(ValueError, match=r"expected a size \(height, width\), .*got \(0, 9\)"):
        Edits((0, 9))


def test_paths_and_holds_are_values_of_their_types() -> None:
    edits = read(GOOD | {"paths": [PATH], "holds": [HOLD]})
    assert torch.equal(edits.paths[0].points, torch.tensor(PATH["points"]).double())
    assert edits.holds[0].contains([8, 1]).item()
