"""Line matches <-> JSON, which can be edited by hand or made by another program.

{"version": 1, "size": [width, height], "matches": [
{"id": 7, "first": [[x, y], [x, y]], "last": [[x, y], [x, y]], "score": 0.9},
...
]}

Coordinates are in pixels of the first and of the last keyframe. `id` and `score` may be left out.
If matches were removed, `matched` beside `size` is the number of lines that matched before. It
decides the colours, so the other matches keep theirs. Unknown keys are kept.

A match with `"ends": "kept"` has its two ends in the same order in both keyframes; without it the
ends are paired by the shortest way. A text with such a match has version 2. The state of Edit
Motion has this form too (see docs/motion.md): its deleted lines are left out, and what else it
holds is kept like unknown keys.

The form of version 0.4 and before is still read. It has four lists: size [height, width], lines0,
lines1, and scores, which may be left out.
"""

import itertools
import json
import logging
from typing import Any

import numpy as np
import torch

from ..canvas import SIDES, is_side
from ..errors import UserError
from ..ids import MAX_ID, check_id
from ..quoting import quote
from .types import LineMatches, count_ids

PLAIN_VERSION, VERSION = 1, 2  # the plain version has no kept ends
KEPT, DELETED = "kept", "deleted"
MAX_LINES = 100_000  # a frame of 4096 x 4096 has a few thousand
ROUNDED = 1e-6  # rounding error by which a score may exceed 1
MATCHES_FORM = (
    f"JSON with version {PLAIN_VERSION} or {VERSION}, size [width, height], and matches, each "
    "with first and last [[x, y], [x, y]]"
)
KEYS = ("version", "size", "matched", "matches")
OLD_KEYS = ("size", "lines0", "lines1", "scores")
LINE_KEYS = ("id", "first", "last", "score")
MOTION_KEYS = ("people", "paths", "holds")  # of a state of Edit Motion


def format_matches(matches: LineMatches) -> str:
    """Matches as a JSON text with one match a line; `parse_matches` gives back equal numbers."""
    height, width = map(int, matches.size)
    kept = matches.kept_ends.tolist()
    version = VERSION if any(kept) else PLAIN_VERSION
    head = {"version": version, "size": [width, height]}
    if matches.num_matched != count_ids(matches.ids):
        head["matched"] = matches.num_matched
    arrays = (getattr(matches, name).detach().cpu() for name in ("lines0", "lines1", "scores"))
    columns = zip(matches.ids.tolist(), *(x.float().numpy() for x in arrays), strict=True)
    notes = map(matches.line_notes.get, matches.ids.tolist(), itertools.repeat({}))
    if version == VERSION:
        notes = map(_with_ends, notes, kept)
    rows = (_format_match(*row, more) for row, more in zip(columns, notes, strict=True))
    begin = json.dumps(head | matches.notes).removesuffix("}")
    return f'{begin}, "matches": [\n' + ",\n".join(rows) + "\n]}\n"


def parse_matches(found: Any, *, name: str) -> LineMatches:
    """Line matches from the values of a JSON text.

    Args:
        found: values in the form of `format_matches`, or in the older form.
        name: name of the file, for messages.

    Raises:
        UserError: the values have another form, or a form that is newer than this program.
    """
    version = found.get("version") if isinstance(found, dict) else None
    if isinstance(version, int) and version > VERSION:
        raise UserError(
            f"{name} holds line matches in the form of version {version}, but this program reads "
            f"versions up to {VERSION}: update ComfyUI-FCVG."
        )
    try:
        matches = _read_lists(found) if _is_older(found) else _read(found)
    except ValueError as error:
        raise UserError(
            f"{name} does not hold line matches ({error}). Expected: {MATCHES_FORM}."
        ) from error
    if others := [key for key in MOTION_KEYS if version == VERSION and matches.notes.get(key)]:
        logging.info(
            "%s also holds %s: Edit Motion reads them, here only its lines are used.",
            name,
            " and ".join(others),
        )
    return matches


def _with_ends(notes: dict[str, Any], kept: bool) -> dict[str, Any]:
    """The notes of a match in a text of version 2, where `ends` says how its ends are paired."""
    others = {key: value for key, value in notes.items() if key != "ends"}
    return others | {"ends": KEPT} if kept else others


def _format_match(number: int, first, last, score, notes: dict[str, Any]) -> str:
    """One line of the text."""
    text = f'{{"id": {number}, "first": {_text(first)}, "last": {_text(last)}'
    more = f", {json.dumps(notes)[1:-1]}" if notes else ""
    return f'{text}, "score": {_text(score)}{more}}}'


def _text(values: np.ndarray) -> str:
    """Nested lists as text; numpy writes the fewest digits that give back the same float32."""
    return f"[{', '.join(map(_text, values))}]" if values.ndim else str(values)


def _read(found: Any) -> LineMatches:
    """Line matches from the values of a file; ValueError says which value is wrong."""
    check_keys(found, {"version", "size", "matches"})
    version = found["version"]
    if version is True or version not in (PLAIN_VERSION, VERSION):
        raise ValueError(f"version is {quote(version)}; expected {PLAIN_VERSION} or {VERSION}")
    matched = found.get("matched")
    if matched is not None and not (type(matched) is int and 1 <= matched <= MAX_ID + 1):
        raise ValueError(f"matched is {quote(matched)}; expected a number from 1 to {MAX_ID + 1}")
    rows = _checked_list("matches", found["matches"])
    plain = version == PLAIN_VERSION
    deleted = [not plain and isinstance(row, dict) and row.get("edit") == DELETED for row in rows]
    for place, row in enumerate(rows, 1):
        if not deleted[place - 1]:
            _check_match(row, f"match {place}", plain)
    rows = [row for row, is_deleted in zip(rows, deleted, strict=True) if not is_deleted]
    ids = _fill_ids([row.get("id") for row in rows])
    # In version 1 `ends` is the key of another program, which could mean anything.
    known = LINE_KEYS if plain else (*LINE_KEYS, "ends")
    notes = ({key: x for key, x in row.items() if key not in known} for row in rows)
    kept = [not plain and "ends" in row for row in rows]
    width, height = checked_size(found["size"])
    return LineMatches(
        _numbers("first", [row["first"] for row in rows], shape=(2, 2)),
        _numbers("last", [row["last"] for row in rows], shape=(2, 2)),
        size=(height, width),
        scores=_scores("score", [row.get("score", 1) for row in rows]),
        ids=torch.tensor(ids, dtype=torch.int64),
        num_matched=matched,
        notes={key: x for key, x in found.items() if key not in KEYS},
        line_notes={number: x for number, x in zip(ids, notes, strict=True) if x},
        kept_ends=torch.tensor(kept, dtype=torch.bool),
    )


def _check_match(row: Any, name: str, plain: bool) -> None:
    """Raise ValueError unless a match is a dictionary with lines, and with an id and score if any.

    The values of lines and scores are checked later, all together. A plain match has no `ends`.
    """
    if not isinstance(row, dict):
        raise ValueError(f"{name} is a {type(row).__name__}, not a dictionary")
    for key in ("first", "last"):
        if key not in row:
            raise ValueError(f"{name} lacks {key}")
        if not is_line(row[key]):
            raise ValueError(f"{key} of {name} is {quote(row[key])}, not [[x, y], [x, y]]")
    if "id" in row:
        check_id(row["id"], name)
    if not plain and row.get("ends", KEPT) != KEPT:
        raise ValueError(f'ends of {name} is {quote(row["ends"])}; expected "{KEPT}", or no ends')


def is_line(value: Any) -> bool:
    """Whether a value is [[x, y], [x, y]]."""
    pairs = [value, *value] if isinstance(value, list) and len(value) == 2 else [None]
    return all(isinstance(x, list) and len(x) == 2 for x in pairs) and all(
        type(x) in (int, float) for x in itertools.chain(*value)
    )


def _fill_ids(ids: list[int | None]) -> list[int]:
    """The ids; matches without an id get the numbers after the largest id."""
    following = itertools.count(max((x for x in ids if x is not None), default=-1) + 1)
    return [next(following) if x is None else x for x in ids]


def _is_older(found: Any) -> bool:
    """Whether values have the form of version 0.4 and before."""
    return isinstance(found, dict) and "version" not in found and "matches" not in found


def _read_lists(found: dict[str, Any]) -> LineMatches:
    """Line matches from the values of an older file; ValueError says which value is wrong."""
    check_keys(found, {"size", "lines0", "lines1"})
    lines = [_numbers(name, found[name], shape=(2, 2)) for name in ("lines0", "lines1")]
    scores = found.get("scores")
    height, width = checked_size(found["size"])
    return LineMatches(
        *lines,
        size=(height, width),
        scores=None if scores is None else _scores("scores", scores),
        notes={key: x for key, x in found.items() if key not in (*OLD_KEYS, *KEYS)},
    )


def check_keys(found: Any, wanted: set[str]) -> None:
    """Raise ValueError unless values are a dictionary with these keys."""
    if not isinstance(found, dict):
        raise ValueError(f"it is a {type(found).__name__}, not a dictionary")
    if missing := wanted - found.keys():
        raise ValueError(f"it lacks {', '.join(sorted(missing))}")


def checked_size(size: Any) -> tuple[int, int]:
    """Two sides of a canvas, in the order of the file."""
    if not isinstance(size, list) or len(size) != 2 or not all(map(is_side, size)):
        raise ValueError(f"size is {quote(size)}; expected {SIDES}")
    return int(size[0]), int(size[1])


def _checked_list(name: str, rows: Any) -> list:
    """A list that is not too long."""
    if not isinstance(rows, list):
        raise ValueError(f"{name} is not a list")
    if len(rows) > MAX_LINES:
        raise ValueError(f"{name} has {len(rows)} lines, more than {MAX_LINES}")
    return rows


def _scores(name: str, rows: Any) -> torch.Tensor:
    """A list of scores as [N] float32."""
    scores = _numbers(name, rows, shape=())
    if len(scores) and not (scores.min() >= 0 and scores.max() <= 1 + ROUNDED):
        raise ValueError(f"{name} is not always in 0..1")
    return scores


def _numbers(name: str, rows: Any, *, shape: tuple[int, ...]) -> torch.Tensor:
    """A list of numbers as [N, *shape] float32, N >= 0; ValueError for any other value."""
    rows = _checked_list(name, rows)
    values = np.array(rows, object) if rows else np.empty((0, *shape), object)
    # The shape is checked first: numpy can iterate over at most 32 dimensions.
    if values.shape[1:] != shape or not {type(value) for value in values.flat} <= {int, float}:
        form = "[[x, y], [x, y]]" if shape else "numbers"
        raise ValueError(f"{name} is not a list of {form}")
    numbers = torch.from_numpy(values.astype(np.float64)).float()
    if not numbers.isfinite().all():
        raise ValueError(f"{name} has NaN or infinite numbers")
    return numbers
