"""Paths <-> rows of JSON."""

import json

import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.paths import Path, format_paths, parse_paths

ROWS = [
    {"id": 4, "points": [[1, 2.5], [3, 4], [5, 6], [7, 8]], "speed": "ease-in"},
    {"id": 0, "points": [[-7, 1000]], "speed": [0, 0.2, 1], "locked": True, "note": {"by": "me"}},
]


def test_rows_stay_as_they_are() -> None:
    paths = parse_paths(ROWS, "the state")
    assert [path.id for path in paths] == [4, 0] and paths[1].speed == [0, 0.2, 1]
    assert paths[0].points.dtype == torch.float64
    assert json.dumps(format_paths(paths)) == json.dumps(ROWS)  # 1 is not written as 1.0


def test_any_number_comes_back() -> None:
    torch.manual_seed(0)
    points = torch.randn(301, 2, dtype=torch.float64) * 1000
    rows = json.loads(json.dumps(format_paths([Path(1, points)])))
    assert torch.equal(parse_paths(rows, "the state")[0].points, points)


def test_what_is_left_out() -> None:
    rows = [{"points": [[0, 0]]}, {"id": 0, "points": [[1, 1]]}, {"points": [[2, 2]]}]
    paths = parse_paths(rows, "the state")
    assert [path.id for path in paths] == [1, 0, 2] and paths[0].speed == "uniform"


def test_no_paths() -> None:
    assert parse_paths([], "the state") == () and format_paths([]) == []


POINT = [[1, 2]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"id": 0}, "paths is a dict, not a list"),
        ([7], "path 1 is a int, not a dictionary"),
        ([{"points": POINT}, {"id": 3}], "path 2 lacks points"),
        ([{"points": "here"}], "points of path 1 is 'here'; expected 1, 4, 7"),
        ([{"points": []}], "points of path 1 has 0 points; expected 1, 4, 7"),
        ([{"points": POINT * 3}], "points of path 1 has 3 points; expected 1, 4, 7"),
        ([{"points": POINT * 10_003}], "points of path 1 has 10003 points, more than 10000"),
        ([{"points": [[1, 2, 3]]}], r"points of path 1 has \[1, 2, 3\]; expected \[x, y\]"),
        ([{"points": [[1, True]]}], r"points of path 1 has \[1, True\]"),
        ([{"points": [[float("nan"), 0]]}], r"points of path 1 has \[nan, 0\]"),
        ([{"points": [[0, 1e300]]}], "numbers from -1048576 to 1048576"),
        ([{"points": POINT, "id": -1}], "id of path 1 is -1; expected 0 to 99999"),
        ([{"points": POINT, "id": True}], "id of path 1 is True"),
        ([{"points": POINT, "id": 5}] * 2, "several paths have the id 5"),
        ([{"points": POINT, "speed": "fast"}], "speed of path 1 is 'fast'; expected uniform"),
        ([{"points": POINT, "speed": "reference"}], "speed of path 1 is 'reference'"),
        ([{"points": POINT, "speed": [0]}], r"speed of path 1 is \[0\]"),
        ([{"points": POINT, "speed": [0, 2]}], r"speed of path 1 is \[0, 2\]"),
        ([{"points": POINT, "speed": [0, "1"]}], r"speed of path 1 is \[0, '1'\]"),
        ([{"points": POINT, "speed": None}], "speed of path 1 is None"),
        ([{"points": POINT}] * 3_001, "there are 3001 paths, more than 3000"),
    ],
)
def test_nonsense_in_words(rows, message: str) -> None:
    with pytest.raises(UserError, match=f"the state does not hold paths .*{message}"):
        parse_paths(rows, "the state")
