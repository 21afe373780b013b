"""Paths <-> rows of a JSON text.

{"id": 0, "points": [[x, y], ...], "speed": "uniform"}

`points` are those of `Path`: one point, or a begin, and for each Bezier curve two handles and an
end, in pixels. `speed` is the name of a timing, or numbers in 0..1; without it the speed is even.
Without `id` a path gets the next free id. Unknown keys are kept.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import torch

from ..errors import UserError
from ..ids import check_id
from ..quoting import quote
from ..timeline import EASINGS, progress_at
from .types import UNIFORM, Path

MAX_PATHS = 3_000
MAX_POINTS = 10_000  # of one path or region
FARTHEST = 2.0**20  # pixels from the corner of the picture
POINTS_FORM = "1, 4, 7, ... points: a begin, and for each Bezier curve two handles and an end"
KEYS = ("id", "points", "speed")


def format_paths(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Paths as rows for a JSON text; `parse_paths` gives back equal paths."""
    return [
        {
            "id": path.id,
            "points": [[shortest(x) for x in point] for point in path.points.tolist()],
            "speed": path.speed if isinstance(path.speed, str) else list(path.speed),
            **path.notes,
        }
        for path in paths
    ]


def parse_paths(rows: Any, name: str) -> tuple[Path, ...]:
    """Paths from the rows of a JSON text.

    Args:
        rows: a list in the form of `format_paths`.
        name: of the text, for messages.

    Raises:
        UserError: the rows have another form. The message says which row and which key.
    """
    try:
        if not isinstance(rows, list):
            raise ValueError(f"paths is a {type(rows).__name__}, not a list")
        if len(rows) > MAX_PATHS:
            raise ValueError(f"there are {len(rows)} paths, more than {MAX_PATHS}")
        for place, row in enumerate(rows, 1):
            _check_row(row, f"path {place}")
        ids = _fill_ids([row.get("id") for row in rows])
    except ValueError as error:
        raise UserError(
            f"{name} does not hold paths ({error}). Expected: for each path its id, its points "
            "[[x, y], ...] in pixels, and its speed."
        ) from error
    return tuple(
        Path(
            number,
            torch.tensor(row["points"], dtype=torch.float64),
            row.get("speed", UNIFORM),
            {key: x for key, x in row.items() if key not in KEYS},
        )
        for number, row in zip(ids, rows, strict=True)
    )


def check_points(points: Any, name: str, is_count: Callable[[int], bool], form: str) -> None:
    """Raise ValueError unless a value is a list of points [x, y] that are not too far away.

    Args:
        name: of the value, for messages.
        is_count: whether there may be so many points.
        form: how many points are expected, in words.
    """
    if not isinstance(points, list) or not is_count(len(points)):
        found = f"has {len(points)} points" if isinstance(points, list) else f"is {quote(points)}"
        raise ValueError(f"{name} {found}; expected {form}")
    if len(points) > MAX_POINTS:
        raise ValueError(f"{name} has {len(points)} points, more than {MAX_POINTS}")
    for point in points:
        if not (isinstance(point, list) and len(point) == 2 and all(map(is_coordinate, point))):
            raise ValueError(
                f"{name} has {quote(point)}; expected [x, y] with numbers from "
                f"-{FARTHEST:.0f} to {FARTHEST:.0f}"
            )


def is_coordinate(value: Any) -> bool:
    """Whether a value is a number of pixels that is not too far away; NaN is not."""
    return type(value) in (int, float) and -FARTHEST <= value <= FARTHEST


def shortest(number: float) -> float:
    """A whole number without its ".0", as JavaScript writes it."""
    return int(number) if number == int(number) else number


def _check_row(row: Any, name: str) -> None:
    """Raise ValueError unless a row has an id if any, points, and a speed if any."""
    if not isinstance(row, dict):
        raise ValueError(f"{name} is a {type(row).__name__}, not a dictionary")
    if "points" not in row:
        raise ValueError(f"{name} lacks points")
    check_points(row["points"], f"points of {name}", lambda count: count % 3 == 1, POINTS_FORM)
    if "id" in row:
        check_id(row["id"], name)
    _check_speed(row.get("speed", UNIFORM), f"speed of {name}")


def _check_speed(speed: Any, name: str) -> None:
    numbers = isinstance(speed, list) and all(type(x) in (int, float) for x in speed)
    try:
        if not numbers and not isinstance(speed, str):
            raise ValueError("it is neither a name nor a list of numbers")
        progress_at(torch.zeros(1), speed)
    except ValueError as error:
        raise ValueError(
            f"{name} is {quote(speed)}; expected {', '.join(EASINGS)}, or 2 numbers or more in 0..1"
        ) from error


def _fill_ids(ids: list[int | None]) -> list[int]:
    """The ids; paths without an id get the smallest free numbers. ValueError: an id is twice."""
    given = [x for x in ids if x is not None]
    taken = set(given)
    if len(taken) < len(given):
        double = next(x for x in given if given.count(x) > 1)
        raise ValueError(f"several paths have the id {double}")
    free = (x for x in itertools.count() if x not in taken)
    return [next(free) if x is None else x for x in ids]
