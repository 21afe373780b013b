"""The edits of a motion <-> JSON: the state of Edit Motion, which can be written by hand.

{"version": 2, "size": [width, height], "matches": [
{"id": 7, "first": [[x, y], [x, y]], "last": [[x, y], [x, y]], "edit": "moved", "found": ...},
...
], "people": [
...
], "paths": [
...
], "holds": [
...
]}

docs/motion.md says what each key means. web/js/motion/state_text.js writes the same text.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import UserError
from ..ids import check_id
from ..json_text import parse_json
from ..lines.matches_json import (
    KEPT,
    MAX_LINES,
    ROUNDED,
    VERSION,
    check_keys,
    checked_size,
    is_line,
)
from ..paths import format_paths, parse_paths
from ..paths.paths_json import check_points, shortest
from ..pose.openpose import MAX_PEOPLE
from ..pose.openpose_parts import PARTS
from ..quoting import quote
from .edits import DELETED, DRAWN, EDITS, Edits, Line, LineEdit, Person, PersonEdit
from .region import Region

MAX_HOLDS = 1_000
FARTHEST_LINE = float(np.finfo(np.float32).max)
EDITS_FORM = (
    f"JSON with version {VERSION}, size [width, height], and lists of matches, people, paths and "
    "holds"
)
LISTS = ("matches", "people", "paths", "holds")
EDIT_KEYS = ("id", "first", "last", "edit", "found", "locked")
LINE_KEYS = (*EDIT_KEYS, "score", "ends")


def parse_edits(text: str, *, name: str) -> Edits | None:
    """The edits in a text; None if the text is empty: nothing is changed.

    Args:
        text: in the form of `format_edits`.
        name: of the text, for messages.

    Raises:
        UserError: the text has another form. The message says which row and which key.
    """
    if not text.strip():
        return None
    try:
        found = parse_json(text)
    except ValueError as error:
        raise _no_edits(name, error) from error
    return edits_from(found, name=name)


def edits_from(found: Any, *, name: str) -> Edits:
    """The edits in the values of a JSON text; for the rest see `parse_edits`."""
    version = found.get("version") if isinstance(found, dict) else None
    if isinstance(version, int) and version > VERSION:
        raise UserError(
            f"{name} holds edits of a motion in the form of version {version}, but this program "
            f"reads version {VERSION}: update ComfyUI-FCVG."
        )
    try:
        return _read(found, name)
    except UserError:
        raise
    except ValueError as error:
        raise _no_edits(name, error) from error


def format_edits(edits: Edits) -> str:
    """The edits as a JSON text with one row a line; "" if there are none.

    `parse_edits` gives back equal edits.
    """
    height, width = map(int, edits.size)
    lists = {
        "matches": map(_format_line, edits.matches),
        "people": map(_format_edit, edits.people),
        "paths": format_paths(edits.paths),
        "holds": map(_format_hold, edits.holds),
    }
    texts = {key: ",\n".join(map(json.dumps, rows)) for key, rows in lists.items()}
    if not edits.notes and not any(texts.values()):
        return ""
    begin = json.dumps({"version": VERSION, "size": [width, height]} | edits.notes)[:-1]
    written = (f', "{key}": [\n{rows}\n]' for key, rows in texts.items() if rows)
    return f"{begin}{''.join(written)}}}\n"


def _no_edits(name: str, error: ValueError) -> UserError:
    return UserError(f"{name} does not hold edits of a motion ({error}). Expected: {EDITS_FORM}.")


def _format_edit(row: LineEdit | PersonEdit, score: float | None = None, ends: str | None = None):
    """An edit as a row; keys that are not set are left out."""
    found = row.found and dict(zip(("first", "last"), row.found, strict=True))
    optional = {
        "score": score,
        "edit": row.edit,
        "found": found,
        "ends": ends,
        "locked": row.locked or None,
    }
    places = {"id": row.id, "first": row.first, "last": row.last}
    return places | {key: x for key, x in optional.items() if x is not None} | row.notes


def _format_line(row: LineEdit) -> dict[str, Any]:
    return _format_edit(row, row.score, KEPT if row.kept_ends else None)


def _format_hold(region: Region) -> dict[str, Any]:
    points = [[*map(shortest, point)] for point in region.points.tolist()]
    return {"id": region.id, "points": points} | region.notes


def _read(found: Any, name: str) -> Edits:
    """Edits from the values of a text; ValueError says which value is wrong."""
    check_keys(found, {"version", "size"})
    if found["version"] is True or found["version"] != VERSION:
        raise ValueError(f"version is {quote(found['version'])}; expected {VERSION}")
    width, height = checked_size(found["size"])
    known = ("version", "size", *LISTS)
    return Edits(
        (height, width),
        matches=_read_rows(found, "matches", "match", MAX_LINES, _read_line),
        people=_read_rows(found, "people", "person", MAX_PEOPLE, _read_person),
        paths=parse_paths(found.get("paths", []), name),
        holds=_read_rows(found, "holds", "hold", MAX_HOLDS, _read_hold),
        notes={key: x for key, x in found.items() if key not in known},
    )


def _read_rows(
    found: dict[str, Any], key: str, noun: str, most: int, read: Callable[[dict, str], Any]
) -> tuple:
    """The rows of a list, each read by `read`, with different ids."""
    rows = found.get(key, [])
    if not isinstance(rows, list):
        raise ValueError(f"{key} is {quote(rows)}, not a list")
    if len(rows) > most:
        raise ValueError(f"{key} has {len(rows)} rows, more than {most}")
    taken = set()
    for place, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise ValueError(f"{noun} {place} is {quote(row)}, not a dictionary")
        number = _value(row, "id", f"{noun} {place}")
        check_id(number, f"{noun} {place}")
        if number in taken:
            raise ValueError(f"several {key} have the id {number}")
        taken.add(number)
    return tuple(read(row, f"{noun} {place}") for place, row in enumerate(rows, 1))


def _read_line(row: dict[str, Any], name: str) -> LineEdit:
    score = row.get("score")
    if score is not None and not (type(score) in (int, float) and 0 <= score <= 1 + ROUNDED):
        raise ValueError(f"score of {name} is {quote(score)}; expected a number in 0..1")
    if row.get("ends", KEPT) != KEPT:
        raise ValueError(f'ends of {name} is {quote(row["ends"])}; expected "{KEPT}", or no ends')
    return LineEdit(**_read_edit(row, name, _line, LINE_KEYS), score=score, kept_ends="ends" in row)


def _read_person(row: dict[str, Any], name: str) -> PersonEdit:
    person = PersonEdit(**_read_edit(row, name, _person, EDIT_KEYS))
    if person.edit != DELETED and person.first is person.last is None:
        raise ValueError(f"{name} has neither first nor last; expected a person in one of them")
    if person.found == (None, None):
        raise ValueError(f"found of {name} has neither first nor last")
    return person


def _read_edit(
    row: dict[str, Any], name: str, read: Callable[[Any, str], Any], known: Sequence[str]
) -> dict[str, Any]:
    """What lines and people have in common; their places are read by `read`."""
    edit, locked = row.get("edit"), row.get("locked", False)
    if "edit" in row and edit not in EDITS:
        raise ValueError(
            f"edit of {name} is {quote(edit)}; expected {', '.join(EDITS)}, or no edit"
        )
    if not isinstance(locked, bool):
        raise ValueError(f"locked of {name} is {quote(locked)}; expected true or false")
    found = row.get("found")
    if edit == DRAWN and "found" in row:
        raise ValueError(f"{name} has found, but a drawn row belongs to nothing that was found")
    if found is None and edit not in (None, DRAWN):
        raise ValueError(f"{name} lacks found, which says what was {edit}")
    if found is not None:
        if not isinstance(found, dict):
            raise ValueError(f"found of {name} is {quote(found)}, not a dictionary")
        found = _places(found, f"found of {name}", read)
    first, last = _places(row, name, read)
    return {
        "id": row["id"],
        "first": first,
        "last": last,
        "edit": edit,
        "found": found,
        "locked": locked,
        "notes": {key: x for key, x in row.items() if key not in known},
    }


def _places(values: dict[str, Any], name: str, read: Callable[[Any, str], Any]) -> tuple[Any, Any]:
    """What `read` makes of the first and of the last keyframe."""
    return tuple(read(_value(values, key, name), f"{key} of {name}") for key in ("first", "last"))


def _value(row: dict[str, Any], key: str, name: str) -> Any:
    if key not in row:
        raise ValueError(f"{name} lacks {key}")
    return row[key]


def _line(value: Any, name: str) -> Line:
    if not is_line(value):
        raise ValueError(f"{name} is {quote(value)}, not [[x, y], [x, y]]")
    if not all(abs(x) <= FARTHEST_LINE for point in value for x in point):  # NaN fails here
        raise ValueError(f"{name} has NaN or infinite numbers")
    return tuple(map(tuple, value))


def _person(value: Any, name: str) -> Person:
    if value is not None and not isinstance(value, dict):
        raise ValueError(f"{name} is {quote(value)}; expected an OpenPose person, or null")
    for part in PARTS if value else ():
        numbers, where = value.get(part.key), f"{part.key} of {name}"
        if numbers is None:
            continue
        if not isinstance(numbers, list) or any(type(x) not in (int, float) for x in numbers):
            raise ValueError(f"{where} is not a list of numbers")
        if len(numbers) not in (0, *(3 * length for length in part.lengths)):
            expected = " or ".join(str(3 * length) for length in sorted(part.lengths))
            raise ValueError(f"{where} has {len(numbers)} numbers; expected {expected}, or none")
        if not all(abs(x) <= FARTHEST_LINE for x in numbers):  # NaN fails here
            raise ValueError(f"{where} has NaN or infinite numbers")
    return value


def _read_hold(row: dict[str, Any], name: str) -> Region:
    points = _value(row, "points", name)
    check_points(points, f"points of {name}", lambda count: count >= 3, "3 corners or more")
    notes = {key: x for key, x in row.items() if key not in ("id", "points")}
    return Region(row["id"], np.array(points, np.float64), notes)
