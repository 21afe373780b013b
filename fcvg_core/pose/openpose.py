"""Poses as OpenPose's JSON, which other ComfyUI packs and editors read and write.

A frame is {"people": [...], "canvas_height": H, "canvas_width": W}; a person has flat lists of
x, y, c in pixels of the canvas. Packs drop a point whose c is not 1, so a score has no place
there: our exact numbers travel in a further list that others leave alone.

Source: OpenPose's output.md; Fannovel16/comfyui_controlnet_aux (POSE_KEYPOINT).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real

import numpy as np
import torch

from ..canvas import MAX_SIDE, is_side
from ..errors import UserError
from ..quoting import first_names, quote
from .skeleton import BODY, FACE, FEET, LEFT_HAND, MIN_SCORE, NUM_POINTS, RIGHT_HAND
from .types import Poses, nobody

EXACT = "fcvg_keypoints"  # 134 x (x, y in 0..1, score)
BRIGHTNESS = "fcvg_brightness"  # of somebody who fades; written where it is not 1
EYES = [14, 15]  # of the body: a face of OpenPose has 70 points, the last two are these
# An editor that rounds to whole pixels has not moved a point.
ROUNDING = 0.51  # pixels
ROUNDING_OF_PARTS = 1e-4  # where numbers are parts of the canvas
# Parts of a canvas may leave it: editors move and scale people. Nobody is 2 pixels large.
MAX_PART = 2.0
FARTHEST = 1e6  # from the canvas, in its lengths
MAX_PEOPLE = 1000
FARTHEST_NUMBER = FARTHEST * MAX_SIDE
MAX_STRETCH = 0.02  # by which the shapes of two canvases may differ unnoticed
# OpenPose's body of 25 points has a middle of the hips (8), and the feet (19 on).
BODY_25 = [*range(8), *range(9, 19)]
FEET_25 = list(range(19, 25))


@dataclass(frozen=True)
class Part:
    """Where a part of a person is in a file and in `Poses`."""

    key: str
    points: slice
    lengths: tuple[int, ...]  # numbers of points that files have
    written: bool = True


PARTS = (
    Part("pose_keypoints_2d", BODY, (18, 25)),
    Part("face_keypoints_2d", FACE, (70, 68)),
    Part("hand_left_keypoints_2d", LEFT_HAND, (21,)),
    Part("hand_right_keypoints_2d", RIGHT_HAND, (21,)),
    Part("foot_keypoints_2d", FEET, (6,), written=False),
)


def to_openpose(poses: Poses, size: tuple[int, int]) -> dict:
    """The people of a frame in OpenPose's form, and their exact numbers.

    Points below a score of 0.3 are written as 0, 0, 0; a part of which no point is above it as
    None. Somebody of brightness 0 is left out: other programs would draw them.

    Args:
        poses: [P, ...] of one frame, P >= 0.
        size: (height, width) of the canvas in pixels.
    """
    height, width = size
    people = []
    fields = (poses.keypoints, poses.scores, poses.brightness)
    for points, scores, brightness in zip(*(x.detach().cpu().numpy() for x in fields), strict=True):
        if brightness == 0:
            continue
        person = {
            part.key: _write_part(part, points * (width, height), scores)
            for part in PARTS
            if part.written
        }
        exact = np.concatenate([points, scores[:, None]], axis=1)
        fading = {} if brightness == 1 else {BRIGHTNESS: float(brightness)}
        people.append({**person, EXACT: exact.ravel().tolist(), **fading})
    return {"people": people, "canvas_height": height, "canvas_width": width}


def from_openpose(
    frame: dict, *, size: tuple[int, int] | None = None, name: str = "The poses"
) -> Poses:
    """The people of a frame in OpenPose's form, from any program: [P, ...], P >= 0.

    A part of a person is in pixels of the canvas where more of its points that are seen lie
    beyond 2 than inside of 0..1, and in parts of the canvas where over a third lie inside. One
    of which neither is true, such as a hand in the canvas's corner, is in the units of the same
    person's other parts, or else of the other people.

    A part that is missing was not found. One that can't be read, with too many points for
    instance, is left out, which is logged. Where somebody moved, added or deleted points, that
    counts, not the exact numbers beside them. Bodies of 18 and 25 points are known.

    Args:
        frame: one item of a POSE_KEYPOINT, or what a JSON file of OpenPose holds.
        size: (height, width) in pixels of a canvas that the frame itself does not tell.
        name: of the poses, for the log.

    Raises:
        UserError: it is something else, or there are parts and none can be read.
    """
    people = _people(frame)
    if not people:
        return nobody()
    problems: dict[str, list[str]] = {}
    parts = [
        [_numbers(person, part.key, part.lengths, problems) for part in PARTS] for person in people
    ]
    exact = [_numbers(person, EXACT, (NUM_POINTS,), problems) for person in people]
    if problems and not any(len(x) for person in parts for x in person):
        key, found = next(iter(problems.items()))
        raise UserError(f"{key} {found[0]}.")
    for key, found in problems.items():
        logging.warning(
            "%s: %s %s. It is left out of %d of %d people.",
            name,
            key,
            found[0],
            len(found),
            len(people),
        )
    units = _units(parts, canvas_size(frame) or size)
    read = np.stack([_read_person(*person) for person in zip(parts, units, exact, strict=True)])
    points = np.clip(read[..., :2], -FARTHEST, FARTHEST)  # not a number stays so
    brightness = torch.tensor([_brightness(person) for person in people], dtype=torch.float64)
    return Poses(torch.from_numpy(points), torch.from_numpy(read[..., 2]), brightness)


def canvas_size(frame: dict) -> tuple[int, int] | None:
    """(height, width) in pixels of what a frame's people are placed on; None where it is unsaid.

    Raises:
        UserError: it is not a size, or the frame is not in OpenPose's form.
    """
    _people(frame)
    values = [frame.get("canvas_height"), frame.get("canvas_width")]
    if None in values:
        return None
    if not all(map(is_side, values)):
        height, width = map(quote, values)
        raise UserError(
            f"The poses' canvas_height and canvas_width are {height} and {width}; expected whole "
            f"numbers of pixels, each at least 1 and at most {MAX_SIDE}."
        )
    return int(values[0]), int(values[1])


def is_stretched(canvas: tuple[int, int], size: tuple[int, int]) -> bool:
    """Whether poses of a canvas change their proportions on frames of a size, both (H, W)."""
    return abs(canvas[0] * size[1] / (canvas[1] * size[0]) - 1) > MAX_STRETCH


def _write_part(part: Part, points: np.ndarray, scores: np.ndarray) -> list[float] | None:
    where = np.arange(NUM_POINTS)[part.points]
    seen = scores >= MIN_SCORE
    if not seen[where].any():
        return None
    if part.points == FACE:
        where = np.append(where, EYES)
    triples = np.concatenate([points[where], np.ones((len(where), 1))], axis=1)
    return np.where(seen[where, None], triples, 0.0).ravel().tolist()


def _people(frame: dict) -> list[dict]:
    """The people of a frame; UserError where it is not in OpenPose's form."""
    if not isinstance(frame, Mapping):
        raise UserError(
            f"Expected poses in OpenPose's form, a dictionary with `people`, got {type(frame)}."
        )
    if "people" not in frame:
        kind = "animals" if "animals" in frame else first_names(frame) or "nothing"
        raise UserError(f"The poses hold {kind}, and no `people`: FCVG knows people only.")
    people = [] if frame["people"] is None else frame["people"]
    if not isinstance(people, (list, tuple)):
        raise UserError(f"`people` of the poses is {quote(people)}; expected a list.")
    people = [person for person in people if person is not None]
    if not all(isinstance(person, Mapping) for person in people):
        raise UserError("A person of the poses is not a dictionary of OpenPose's keypoint lists.")
    if len(people) > MAX_PEOPLE:
        raise UserError(f"The poses have {len(people)} people; expected {MAX_PEOPLE} at most.")
    return people


def _numbers(
    person: dict, key: str, lengths: tuple[int, ...], problems: dict[str, list[str]]
) -> np.ndarray:
    """[K, 3] x, y, c of a person's list; K = 0 where it is missing or a problem, which is noted.

    None in it becomes not a number, which counts as not found.
    """
    values = person.get(key)
    try:
        # As objects, a list's texts and truth values do not become numbers.
        array = np.asarray(
            [] if values is None else values, None if hasattr(values, "dtype") else object
        ).ravel()
        if array.dtype.kind not in "iufO":
            raise TypeError(f"it holds {array.dtype}")
        if array.dtype.kind == "O":
            array = np.array([*map(_plain, array)], object)
            if odd := [x for x in array if not _is_number(x)]:
                raise TypeError(f"it holds {quote(odd[0])}")
        array = array.astype(np.float64)
        np.clip(array, -FARTHEST_NUMBER, FARTHEST_NUMBER, out=array, where=np.isfinite(array))
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        problems.setdefault(key, []).append(f"is not a list of numbers ({error})")
        return np.zeros((0, 3))
    if array.size and array.size not in [3 * length for length in lengths]:
        expected = " or ".join(str(3 * length) for length in sorted(lengths))
        problems.setdefault(key, []).append(
            f"has {array.size} numbers; expected {expected} (x, y and confidence of each point), "
            "or none"
        )
        return np.zeros((0, 3))
    return array.reshape(-1, 3)


def _plain(value: object) -> object:
    """A tensor or an array of one number as that number, all else as it is."""
    return value.item() if getattr(value, "shape", None) == () else value


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, Real) and not isinstance(value, bool))


def _units(parts: list[list[np.ndarray]], size: tuple[int, int] | None) -> np.ndarray:
    """Width and height by which each part's numbers are divided, [P, parts, 2].

    Args:
        parts: [K, 3] x, y, c of each person's parts.
        size: (height, width) of the canvas in pixels, where it is known.
    """
    seen = [[x[np.isfinite(x).all(1) & (x[:, 2] > 0), :2] for x in person] for person in parts]
    beyond = np.array([[(np.abs(x) > MAX_PART).any(1).sum() for x in person] for person in seen])
    inside = np.array([[((x > 0) & (x < 1)).all(1).sum() for x in person] for person in seen])
    enough = np.array([[len(x) / 3 for x in person] for person in seen])
    # 1 for pixels, -1 for parts of the canvas, 0 for neither
    votes = 1 * (beyond > inside) - 1 * ((inside > beyond) & (inside > enough))
    frame = 1 if (votes > 0).any() or (beyond.any() and not votes.any()) else -1
    for person in votes:
        person[person == 0] = next(filter(None, person), frame)
    if size is None and (votes > 0).any():
        raise UserError(
            "The poses are in pixels but do not say of what: add canvas_width and canvas_height."
        )
    return np.where(votes[..., None] > 0, (size or (1, 1))[::-1], 1.0)


def _read_person(parts: list[np.ndarray], units: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """[134, 3] x, y in 0..1, and score.

    Args:
        parts: [K, 3] x, y, c of each part.
        units: [parts, 2] by which they are divided.
        exact: [134, 3], or [0, 3] where there is none.
    """
    shown, divisor = np.zeros((NUM_POINTS, 3)), np.ones((NUM_POINTS, 2))
    for part, triples, unit in zip(PARTS, parts, units, strict=True):
        if part.points == BODY and len(triples) == 25:
            shown[FEET], divisor[FEET] = triples[FEET_25], unit
            triples = triples[BODY_25]
        count = min(len(triples), len(shown[part.points]))
        if count:
            shown[part.points][:count], divisor[part.points] = triples[:count], unit
    shown[:, :2] /= divisor
    shown[:, 2] = shown[:, 2].clip(0, 1)  # some programs write 2 for a point that is visible
    return _exact(shown, exact, divisor) if len(exact) else shown


def _brightness(person: dict) -> float:
    value = person.get(BRIGHTNESS)
    if not isinstance(value, Real) or isinstance(value, bool) or value != value:
        return 1.0
    return float(min(max(value, 0), 1))


def _exact(shown: np.ndarray, exact: np.ndarray, divisor: np.ndarray) -> np.ndarray:
    """What is shown, with the exact numbers wherever nobody changed it."""
    is_shown = shown[:, 2] > 0
    was_shown = exact[:, 2] >= MIN_SCORE
    was_shown[FEET] = is_shown[FEET]  # we do not write them
    rounding = np.where(divisor > 1, ROUNDING / divisor, ROUNDING_OF_PARTS)
    # What is not a number has moved as well.
    moved = ~(np.abs(exact[:, :2] - shown[:, :2]) <= rounding).all(1)
    changed = (was_shown != is_shown) | (is_shown & moved)
    # Points too unsure to be shown stay only beside what nobody touched.
    unshown = ~was_shown & ~is_shown
    for part in PARTS:
        if changed[part.points].any() or (changed[BODY].any() and unshown[part.points].all()):
            changed[part.points] |= unshown[part.points]
    return np.where(changed[:, None], shown, exact)
