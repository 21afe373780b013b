"""What was found between two keyframes, and what the user changed -> the motion.

The found lines and people may come from another run than the edits, with another seed or
threshold. Edits belong to what lies where they were made. What no longer applies is listed.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from ..canvas import in_words
from ..lines import LineMatches
from ..lines.matches_json import KEPT
from ..paths import Path, format_paths
from ..quoting import in_short
from .edits import Edits, LineEdit, PersonEdit
from .merge_lines import free_ids, merge_lines
from .merge_people import list_found_people, merge_people, person_of
from .region import Region
from .types import Motion, Span

MOST_TOLD = 8  # ids of edits in a message
SAME_SHAPE = 0.01  # relative difference of proportions that nobody sees


@dataclass(frozen=True, eq=False)
class Merged:
    """The motion as the user wants it, and how it came about.

    Attributes:
        motion: one span.
        found: what was found, untouched.
        assigned: "matches" and "people": id of an edit -> id of the found row it belongs to.
        stale: "matches" and "people": ids of edits that belong to nothing, and are not used.
    """

    motion: Motion
    found: Span
    assigned: dict[str, dict[int, int]]
    stale: dict[str, list[int]]


def merge_edits(edits: Edits | None, found: Span, size: tuple[int, int]) -> Merged:
    """The found motion with the edits of the user.

    An edit belongs to the found match whose four ends lie within 4 pixels of the line it was made
    of, and to the found person whose joints lie within 16 pixels on average (in frames 1024 pixels
    wide; see `nearest`). The nearest are paired first. An edit that belongs to nothing is stale
    and not used, unless it is locked or drawn. A warning tells how many are stale.

    Args:
        edits: None: nothing is changed. Edits of another size are scaled.
        found: what was found between the keyframes. Paths and regions of the edits are added to
            its own.
        size: (height, width) of the keyframes, in pixels.
    """
    if edits is None:
        nothing = {"matches": {}, "people": {}}, {"matches": [], "people": []}
        return Merged(Motion(tuple(size), (found,)), found, *nothing)
    if tuple(edits.size) != tuple(size):
        _tell_size(edits.size, size)
    edits = edits.scaled(size)
    matches, lines_of = merge_lines(edits.matches, found.matches, size)
    people, pairs, people_of = merge_people(edits.people, found.people, found.pairs, size)
    stale = {
        "matches": _stale(edits.matches, lines_of),
        "people": _stale(edits.people, people_of),
    }
    _tell(stale)
    span = replace(
        found,
        matches=matches,
        people=people,
        pairs=pairs,
        paths=found.paths + _renumbered(edits.paths, found.paths),
        holds=found.holds + _renumbered(edits.holds, found.holds),
    )
    assigned = {"matches": lines_of, "people": people_of}
    return Merged(Motion(tuple(size), (span,)), found, assigned, stale)


def as_payload(merged: Merged) -> dict[str, Any]:
    """What the canvas of Edit Motion shows beside the state, but for the pictures.

    Returns:
        Values for JSON: size [width, height]; the found matches, people and paths as rows like
        those of the state; `assigned` and `stale` of `merged`.
    """
    height, width = merged.motion.size
    found = merged.found
    return {
        "size": [int(width), int(height)],
        "matches": [] if found.matches is None else _rows_of_matches(found.matches),
        "people": _rows_of_people(found, (height, width)),
        "paths": format_paths(found.paths),
        "assigned": {
            kind: {str(edit): row for edit, row in rows.items()}
            for kind, rows in merged.assigned.items()
        },
        "stale": merged.stale,
    }


def _stale(edits: Sequence[LineEdit | PersonEdit], assigned: dict[int, int]) -> list[int]:
    return [edit.id for edit in edits if not edit.always_counts and edit.id not in assigned]


def _tell_size(made: tuple[int, int], size: tuple[int, int]) -> None:
    """Say that edits are scaled, and warn if they are stretched, because pictures are cropped."""
    logging.info(
        "The edits were made for keyframes of %s pixels and are scaled to %s pixels.",
        in_words(made),
        in_words(size),
    )
    if not math.isclose(made[0] / made[1], size[0] / size[1], rel_tol=SAME_SHAPE):
        logging.warning(
            "The proportions of both sizes differ, so the edits may lie beside what they change: "
            "use keyframes with the proportions of %s.",
            in_words(made),
        )


def _tell(stale: dict[str, list[int]]) -> None:
    """Log which edits are not used."""
    words = {"matches": "lines", "people": "people"}
    told = [
        f"{words[kind]} {in_short([*map(str, ids)], most=MOST_TOLD, between=', ')}"
        for kind, ids in stale.items()
        if ids
    ]
    if told:
        logging.warning(
            "Edits of %s do not fit what was found now: they are kept in the state, but not used. "
            "Lock an edit to use it whatever is found.",
            " and of ".join(told),
        )


def _renumbered(
    rows: Sequence[Path | Region], others: Sequence[Path | Region]
) -> tuple[Path | Region, ...]:
    """Rows with ids that others do not have."""
    ids = [row.id for row in rows]
    new = free_ids(ids, [row.id for row in others], ids)
    return tuple(replace(row, id=number) for row, number in zip(rows, new, strict=True))


def _rows_of_matches(matches: LineMatches) -> list[dict[str, Any]]:
    columns = (matches.lines0, matches.lines1, matches.scores)
    rows = zip(matches.ids.tolist(), *map(_short_numbers, columns), strict=True)
    ends = ({"ends": KEPT} if kept else {} for kept in matches.kept_ends.tolist())
    names = ("id", "first", "last", "score")
    return [dict(zip(names, row, strict=True)) | x for row, x in zip(rows, ends, strict=True)]


def _short_numbers(values: Tensor) -> list:
    """float32 numbers as lists, with the fewest digits that give back the same float32."""
    return values.numpy().astype(str).astype(np.float64).tolist()


def _rows_of_people(found: Span, size: tuple[int, int]) -> list[dict[str, Any]]:
    rows = []
    for person in list_found_people(found.people, found.pairs):
        first, last = (
            person_of(poses, row, size)
            for poses, row in zip(found.people, person.rows, strict=True)
        )
        if first is not None or last is not None:
            rows.append({"id": person.id, "first": first, "last": last})
    return rows
