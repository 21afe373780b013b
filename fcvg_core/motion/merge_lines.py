"""Found line matches and the user's edits of lines -> the line matches that the user wants."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import torch

from ..ids import MAX_ID
from ..lines import LineMatches
from ..lines.filter import select_matches
from .edits import DELETED, LineEdit
from .nearest import assign_nearest, nearest_lines


def merge_lines(
    edits: Sequence[LineEdit], found: LineMatches | None, size: tuple[int, int]
) -> tuple[LineMatches | None, dict[int, int]]:
    """The found matches with the user's edits, and the found match of each edit that has one.

    An edited match keeps the id of the found match, and so its colour. Edits that belong to no
    found match follow the found matches, if they always count. They keep their ids, unless these
    are taken.

    Args:
        edits: in pixels of keyframes of `size`.
        found: None: no lines are known.
        size: (height, width).

    Returns:
        The matches, None if there are none and none were found; and edit id -> found id.
    """
    if not edits:
        return found, {}
    base = found if found is not None else _no_matches(size)
    assigned = _assign(edits, base)
    ids = base.ids.tolist()
    rows = {assigned[i]: edit for i, edit in enumerate(edits) if i in assigned}
    changed = _with_rows(base, {j: x for j, x in rows.items() if x.edit != DELETED})
    kept = [j not in rows or rows[j].edit != DELETED for j in range(len(ids))]
    changed = select_matches(changed, torch.tensor(kept, dtype=torch.bool))
    others = [(i, x) for i, x in enumerate(edits) if i not in assigned]
    new_ids = free_ids([x.id for _, x in others], ids, [x.id for x in edits])
    added = {
        number: edit
        for number, (_, edit) in zip(new_ids, others, strict=True)
        if edit.always_counts and edit.edit != DELETED
    }
    merged = _with_added(changed, added)
    if found is None and not added:
        merged = None
    return merged, {edits[i].id: ids[j] for i, j in assigned.items()}


def free_ids(wanted: Sequence[int], taken: Iterable[int], reserved: Iterable[int]) -> list[int]:
    """An id for each row: the wanted id, or if it is taken, the largest that is free.

    Args:
        wanted: ids of new rows, all different.
        taken: ids of other rows.
        reserved: ids that no other row may get.
    """
    taken = set(taken)
    reserved, ids, following = taken | set(reserved), [], MAX_ID
    for number in wanted:
        if number in taken:
            while following in reserved:
                following -= 1
            number = following
            reserved.add(number)
        ids.append(number)
    return ids


def _no_matches(size: tuple[int, int]) -> LineMatches:
    return LineMatches(torch.zeros(0, 2, 2), torch.zeros(0, 2, 2), tuple(size))


def _assign(edits: Sequence[LineEdit], found: LineMatches) -> dict[int, int]:
    """Row of `edits` -> row of `found` that it belongs to."""
    made_of = [(i, edit.origin) for i, edit in enumerate(edits) if edit.origin is not None]
    lines = torch.stack([found.lines0, found.lines1], dim=1).double().numpy()
    rows, others, apart = nearest_lines([origin for _, origin in made_of], lines, found.size)
    rows = np.array([i for i, _ in made_of], int)[rows]
    ids = [edit.id for edit in edits]
    return assign_nearest(rows, others, apart, ids, found.ids.tolist())


def _with_rows(found: LineMatches, rows: dict[int, LineEdit]) -> LineMatches:
    """The matches with other lines in some rows."""
    if not rows:
        return found
    places = torch.tensor(list(rows))
    columns = {
        "lines0": [row.first for row in rows.values()],
        "lines1": [row.last for row in rows.values()],
        "kept_ends": [row.kept_ends for row in rows.values()],
        "scores": [
            float(found.scores[place]) if row.score is None else row.score
            for place, row in rows.items()
        ],
    }
    changed = {}
    for name, values in columns.items():
        old = getattr(found, name)
        changed[name] = old.index_copy(0, places, _as_rows(values, old))
    notes = dict(found.line_notes)
    for place, row in rows.items():
        if row.notes:
            number = int(found.ids[place])
            notes[number] = notes.get(number, {}) | row.notes
    return replace(found, line_notes=notes, **changed)


def _with_added(matches: LineMatches, added: dict[int, LineEdit]) -> LineMatches:
    """The matches, followed by edits with these ids."""
    if not added:
        return matches
    rows = added.values()
    new = {
        "lines0": [row.first for row in rows],
        "lines1": [row.last for row in rows],
        "kept_ends": [row.kept_ends for row in rows],
        "scores": [1.0 if row.score is None else row.score for row in rows],
        "ids": list(added),
    }
    columns = {}
    for name, values in new.items():
        old = getattr(matches, name)
        columns[name] = torch.cat([old, _as_rows(values, old)])
    # Without other lines each new line has a colour of its own.
    num_matched = matches.num_matched if len(matches.ids) else len(added)
    notes = {number: row.notes for number, row in added.items() if row.notes}
    return replace(
        matches, num_matched=num_matched, line_notes=matches.line_notes | notes, **columns
    )


def _as_rows(values: list, like: torch.Tensor) -> torch.Tensor:
    """Values as rows of a column like another."""
    kind = np.float64 if like.is_floating_point() else None
    return torch.from_numpy(np.array(values, kind)).to(like)
