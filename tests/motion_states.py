"""Seeded random motions with a person's edits, for tests of Python and of JavaScript."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from fcvg_core.lines import LineMatches
from fcvg_core.motion import Span
from fcvg_core.motion.edits_json import parse_edits
from fcvg_core.motion.merge import Merged, as_payload, merge_edits
from fcvg_core.paths import Path
from fcvg_core.pose import Poses
from fcvg_core.pose.skeleton import FEET, NUM_POINTS
from fcvg_core.timeline import EASINGS

BODY = "pose_keypoints_2d"
TIMES = 5  # of each motion, between the keyframes


@dataclass(frozen=True)
class MotionState:
    """A motion, the text of what a person changed of it, and times in 0..1."""

    text: str
    merged: Merged
    times: list[float]

    @property
    def span(self) -> Span:
        """The motion with the edits."""
        return self.merged.motion.spans[0]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.merged.motion.size

    @property
    def payload(self) -> dict[str, Any]:
        """What the canvas gets of the motion."""
        return as_payload(self.merged)


def random_motion(seed: int) -> MotionState:
    """A motion of lines, people, paths and regions; every kind of edit is among them."""
    rng = np.random.default_rng(seed)
    size = tuple(map(int, rng.integers(200, 1000, 2)))  # height, width
    found = Span(
        matches=_matches(rng, size),
        people=(_people(rng), _people(rng)),
        paths=tuple(_path(rng, number, size) for number in range(rng.integers(0, 3))),
    )
    payload = as_payload(merge_edits(None, found, size))
    text = _text(rng, payload, size)
    merged = merge_edits(parse_edits(text, name="the state"), found, size)
    return MotionState(text, merged, [0.0, *map(float, rng.random(TIMES).round(3)), 1.0])


def _matches(rng: np.random.Generator, size: tuple[int, int]) -> LineMatches:
    """Lines; the last half lie on a coarse raster, so that both ways of pairing may tie."""
    count = int(rng.integers(0, 12))
    lines = rng.random((2, count, 2, 2)) * size[::-1]
    lines[:, count // 2 :] = rng.integers(0, 4, (2, count - count // 2, 2, 2)) * 32
    ids = torch.from_numpy(rng.permutation(40)[:count].astype(np.int64))
    kept = torch.from_numpy(rng.random(count) < 0.2)
    first, last = torch.from_numpy(lines).float()
    return LineMatches(first, last, size, ids=ids, kept_ends=kept)


def _people(rng: np.random.Generator) -> Poses:
    """People of whom some joints are hidden."""
    count = int(rng.integers(0, 4))
    scores = np.where(rng.random((count, NUM_POINTS)) < 0.2, 0, 0.9)
    scores[:, FEET] = 0  # a text does not hold them
    middles = rng.random((count, 1, 2))
    points = middles + 0.2 * rng.standard_normal((count, NUM_POINTS, 2))
    return Poses(torch.from_numpy(points), torch.from_numpy(scores))


def _path(rng: np.random.Generator, number: int, size: tuple[int, int]) -> Path:
    points = torch.from_numpy(rng.random((3 * int(rng.integers(0, 4)) + 1, 2)) * size[::-1])
    return Path(number, points, _speed(rng))


def _speed(rng: np.random.Generator) -> str | list[float]:
    names = list(EASINGS)
    kind = rng.integers(0, len(names) + 1)
    if kind < len(names):
        return names[kind]
    return rng.random(int(rng.integers(2, 7))).round(2).tolist()


def _text(rng: np.random.Generator, payload: dict[str, Any], size: tuple[int, int]) -> str:
    """A state: what a person may have done to a payload."""
    place = lambda *shape: (rng.random((*shape, 2)) * size[::-1]).round(2).tolist()  # noqa: E731
    matches = [_edited_line(rng, row, place) for row in payload["matches"] if rng.random() < 0.6]
    matches.append({"id": 99_999, "first": place(2), "last": place(2), "edit": "drawn"})
    stale = {"first": place(2), "last": place(2)}
    matches.append({"id": 99_998, **stale, "edit": "moved", "found": {**stale, "last": place(2)}})
    matches.append({"id": 99_997, "first": place(2), "last": place(2), "locked": True})
    people = [_edited_person(rng, row) for row in payload["people"] if rng.random() < 0.6]
    paths = [
        {"id": i, "points": place(3 * int(rng.integers(0, 4)) + 1), "speed": _speed(rng)}
        for i in range(int(rng.integers(0, 4)))
    ]
    holds = [
        {"id": i, "points": place(int(rng.integers(3, 7)))} for i in range(int(rng.integers(0, 3)))
    ]
    lists = {"matches": matches, "people": people, "paths": paths, "holds": holds}
    text = json.dumps({"version": 2, "size": [size[1], size[0]], **lists})
    return json.dumps(json.loads(text, parse_float=_shortest))


def _shortest(text: str) -> float:
    """A whole number without its ".0", as JavaScript writes it."""
    number = float(text)
    return int(number) if number.is_integer() else number


def _edited_line(rng: np.random.Generator, row: dict[str, Any], place) -> dict[str, Any]:
    places = {"first": row["first"], "last": row["last"]}
    kind = rng.integers(0, 4)
    if kind == 0:
        return {**row, "locked": True}
    row = {key: value for key, value in row.items() if key != "ends"}
    if kind == 1:
        return {**row, "edit": "deleted", "found": places}
    if kind == 2 and row["last"][0] != row["last"][1]:
        return {**row, "last": row["last"][::-1], "edit": "moved", "found": places, "ends": "kept"}
    return {**row, "first": place(2), "edit": "moved", "found": places}


def _edited_person(rng: np.random.Generator, row: dict[str, Any]) -> dict[str, Any]:
    places = {"first": row["first"], "last": row["last"]}
    edited = {"id": row["id"], **places, "edit": "moved", "found": places}
    side = "first" if row["first"] else "last"
    kind = rng.integers(0, 3)
    if kind == 0:
        return {**edited, "edit": "deleted"}
    if kind == 1 and row["first"] and row["last"]:
        return {**edited, "last": None}
    numbers = list(row[side][BODY])
    numbers[0:6] = [12.5, 34.25, 1, *numbers[3:5], 0]  # one joint moves, one hides
    return {**edited, side: {**row[side], BODY: numbers}}
