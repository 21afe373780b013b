"""Found people and the user's edits of people -> the people that the user wants."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..pose import Poses, from_openpose, is_seen, match_people, nobody, to_openpose
from ..pose.openpose_parts import EXACT
from .edits import DELETED, Person, PersonEdit
from .nearest import PERSON_TOLERANCE, assign_nearest, joint_distances, tolerance_at

People = tuple[Poses, Poses]


@dataclass(frozen=True)
class FoundPerson:
    """A person who was found: their number, and their rows in the poses of both keyframes.

    Attributes:
        id: the row in the first keyframe; of people whom only the last keyframe shows, the
            number of people in the first keyframe + the row in the last.
        rows: in the first and in the last keyframe; None: the keyframe does not show them.
    """

    id: int
    rows: tuple[int | None, int | None]


def list_found_people(people: People | None, pairs: Tensor | None) -> list[FoundPerson]:
    """The people of two keyframes, those whom both show as one: in the order of their ids.

    Args:
        people: of the first and of the last keyframe, [P, ...] each; None: nobody is known.
        pairs: [M, 2] rows of the same people; None: from `match_people`.
    """
    if people is None:
        return []
    pairs = match_people(*people) if pairs is None else pairs
    last_of = dict(pairs.tolist())
    count = people[0].num_people
    alone = [j for j in range(people[1].num_people) if j not in last_of.values()]
    both = [FoundPerson(i, (i, last_of.get(i))) for i in range(count)]
    return both + [FoundPerson(count + j, (None, j)) for j in alone]


def merge_people(
    edits: Sequence[PersonEdit],
    people: People | None,
    pairs: Tensor | None,
    size: tuple[int, int],
) -> tuple[People | None, Tensor | None, dict[int, int]]:
    """The found people with the user's edits, and the found person of each edit that has one.

    A joint that the user did not move keeps its exact place and its score.

    Args:
        edits: in pixels of keyframes of `size`.
        people: of the first and of the last keyframe, [P, ...] each; None: nobody is known.
        pairs: [M, 2] rows of the same people; None: from `match_people`.
        size: (height, width).

    Returns:
        People of both keyframes and their pairs, as they were if no edit is used; and edit id -> id
        of a `FoundPerson`.
    """
    found = list_found_people(people, pairs)
    poses = people or (nobody(), nobody())
    assigned = _assign(edits, found, poses, size)
    alone = [edit for i, edit in enumerate(edits) if i not in assigned]
    added = [edit for edit in alone if edit.always_counts and edit.edit != DELETED]
    if not assigned and not added:
        return people, pairs, {}
    edit_of = {j: edits[i] for i, j in assigned.items()}
    rows = []
    for j, person in enumerate(found):
        old = _rows_of(poses, person)
        edit = edit_of.get(j)
        if edit is None or edit.edit != DELETED:
            rows.append(old if edit is None else _edited(edit, old, size))
    rows += [_edited(edit, (None, None), size) for edit in added]
    ids = {edits[i].id: found[j].id for i, j in assigned.items()}
    return (*_gather(rows), ids)


def person_of(poses: Poses, row: int | None, size: tuple[int, int]) -> Person:
    """A person in OpenPose's format, in pixels; None: not shown, or of the brightness 0."""
    if row is None:
        return None
    frame = to_openpose(poses.people([row]), size)
    return next((_without_exact(person) for person in frame["people"]), None)


def _without_exact(person: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in person.items() if key != EXACT}


def _rows_of(poses: People, person: FoundPerson) -> tuple[Poses | None, Poses | None]:
    """A found person in both keyframes, [1, ...] each."""
    return tuple(
        None if row is None else pose.people([row])
        for pose, row in zip(poses, person.rows, strict=True)
    )


def _edited(
    edit: PersonEdit, old: tuple[Poses | None, Poses | None], size: tuple[int, int]
) -> tuple[Poses | None, Poses | None]:
    """An edited person in both keyframes, [1, ...] each."""
    return tuple(
        None if person is None else _read([person], size, [exact])
        for person, exact in zip((edit.first, edit.last), old, strict=True)
    )


def _read(people: list[dict[str, Any]], size: tuple[int, int], exact: list[Poses | None]) -> Poses:
    """People in OpenPose's format, in pixels; joints that did not move are those of `exact`."""
    rows = [_without_exact(person) for person in people]
    for row, poses in zip(rows, exact, strict=True):
        if poses is not None:
            points = torch.cat([poses.keypoints[0], poses.scores[0, :, None]], dim=1)
            row[EXACT] = points.flatten().tolist()
    canvas = {"canvas_height": size[0], "canvas_width": size[1]}
    return from_openpose({"people": rows, **canvas}, exact_pixels=True)


def _gather(rows: list[tuple[Poses | None, Poses | None]]) -> tuple[People, Tensor]:
    """People of both keyframes, and the pairs of those whom both keyframes show."""
    people = ([], [])
    pairs = []
    for row in rows:
        if None not in row:
            pairs.append((len(people[0]), len(people[1])))
        for poses, pose in zip(people, row, strict=True):
            if pose is not None:
                poses.append(pose)
    pairs = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2)
    return tuple(map(_stacked, people)), pairs


def _stacked(people: list[Poses]) -> Poses:
    """People [1, ...] in one frame."""
    columns = ("keypoints", "scores", "brightness")
    together = [torch.cat([getattr(x, name) for x in people]) for name in columns if people]
    return Poses(*together) if together else nobody()


def _assign(
    edits: Sequence[PersonEdit], found: list[FoundPerson], poses: People, size: tuple[int, int]
) -> dict[int, int]:
    """Row of `edits` -> row of `found` that it belongs to.

    Both must be shown by the same keyframes.
    """
    costs = np.zeros((len(edits), len(found)))
    for k, pose in enumerate(poses):
        of_frame = [person.rows[k] for person in found]
        there = np.array([row is not None for row in of_frame], bool)
        shown = pose.people([row for row in of_frame if row is not None])
        points, seen = _in_pixels(shown, size)
        for i, edit in enumerate(edits):
            origin = edit.origin and edit.origin[k]
            if edit.origin is None:
                costs[i] = np.inf
            elif origin is None:
                costs[i, there] = np.inf
            else:
                own, own_seen = _in_pixels(_read([origin], size, [None]), size)
                costs[i, ~there] = np.inf
                costs[i, there] += joint_distances(own[0], own_seen[0], points, seen)
    counts = [sum(x is not None for x in edit.origin or (1,)) for edit in edits]
    costs /= np.array(counts)[:, None]
    rows, others = np.nonzero(costs <= tolerance_at(size, PERSON_TOLERANCE))
    apart = costs[rows, others]
    ids, found_ids = [edit.id for edit in edits], [person.id for person in found]
    return assign_nearest(rows, others, apart, ids, found_ids)


def _in_pixels(poses: Poses, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Points [P, 134, 2] in pixels, and whether they are seen [P, 134]."""
    return poses.keypoints.numpy() * (size[1], size[0]), is_seen(poses).numpy()
