"""Poses in OpenPose's JSON format, which other ComfyUI packs and editors read and write.

A frame is {"people": [...], "canvas_height": H, "canvas_width": W}. A person has flat lists of
x, y, c (confidence) in pixels of the canvas. Other packs drop a point whose c is not 1. So the
exact coordinates and scores are in an additional list, which other programs ignore.

Source: OpenPose's output.md; Fannovel16/comfyui_controlnet_aux (POSE_KEYPOINT).
"""

import logging
from collections.abc import Mapping
from numbers import Real

import numpy as np
import torch

from ..canvas import MAX_SIDE, is_side
from ..errors import UserError
from ..quoting import first_names, quote
from .counts import count_people
from .openpose_parts import BRIGHTNESS, EXACT, PARTS, Part
from .openpose_units import find_units, tell_unit
from .skeleton import BODY, FACE, FEET, MIN_SCORE, NUM_POINTS
from .types import Poses, nobody

EYES = [14, 15]  # points of the body; OpenPose repeats them as the last two of a face's 70 points
# A smaller difference from the exact coordinates is rounding by an editor, not a moved point.
ROUNDING, EXACTLY = 0.51, 0.001  # pixels; exactly: the editor keeps all digits
ROUNDING_OF_PARTS = 1e-4  # if coordinates are fractions of the canvas
FARTHEST = 1e6  # largest coordinate, as a multiple of the canvas
MAX_PEOPLE = 1000
FARTHEST_NUMBER = FARTHEST * MAX_SIDE
MAX_STRETCH = 0.02  # largest difference of two aspect ratios without a warning
# OpenPose's body of 25 points also has the middle of the hips (point 8) and the feet (from 19).
BODY_25 = [*range(8), *range(9, 19)]
FEET_25 = list(range(19, 25))


def to_openpose(poses: Poses, size: tuple[int, int]) -> dict:
    """The people of a frame in OpenPose's format, with their exact coordinates and scores.

    Points with a score below 0.3 are written as 0, 0, 0. People of brightness 0 are left out,
    because other programs would draw them.

    Args:
        poses: [P, ...] of one frame, P >= 0.
        size: (height, width) of the canvas in pixels.

    Differs: a part without a visible point is a list of zeros, as OpenPose's own program writes
        it. comfyui_controlnet_aux writes None, which some programs that draw poses can't read.
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
    frame: dict,
    *,
    size: tuple[int, int] | None = None,
    name: str = "The poses",
    exact_pixels: bool = False,
) -> Poses:
    """The people of a frame in OpenPose's format, from any program: [P, ...], P >= 0.

    Each part of a person has its own unit: pixels if more of its visible points lie above 2 than
    in 0..1; fractions of the canvas if more points lie in 0..1 than above 2, and more than a
    third of all. If neither is true (for instance a hand in the corner of the canvas), the part
    has the unit of the person's other parts, or else of the other people. The log tells the unit
    if the frame does not contain the size of its canvas.

    A missing part counts as not found, and so does a part of zeros. A part that can't be read,
    for instance with too many points, is left out and logged. If an editor moved, added or
    deleted points, the edited points replace the exact coordinates. Bodies can have 18 or 25
    points.

    Args:
        frame: one item of a POSE_KEYPOINT, or the contents of a JSON file of OpenPose.
        size: (height, width) of the canvas in pixels, used if the frame does not contain it.
        name: name of the poses, for the log.
        exact_pixels: the coordinates are pixels of the frame's canvas, with all their digits: no
            unit is guessed, and a point that moved by more than a thousandth of a pixel is moved.

    Raises:
        UserError: the frame is not in OpenPose's format, or none of its parts can be read.
    """
    people = list_frame_people(frame)
    if not people:
        return nobody()
    parts, exact = _read_parts(people, name)
    canvas = canvas_size(frame)
    if exact_pixels:
        units, rounding = np.tile(np.float64(canvas[::-1]), (len(people), len(PARTS), 1)), EXACTLY
    else:
        units, rounding = find_units(parts, canvas or size), ROUNDING
    if canvas is None and size is not None:
        tell_unit(name, units, size)
    rows = zip(parts, units, exact, strict=True)
    read = np.stack([_read_person(*person, rounding) for person in rows])
    points = np.clip(read[..., :2], -FARTHEST, FARTHEST)  # NaN stays NaN
    brightness = torch.tensor([_brightness(person) for person in people], dtype=torch.float64)
    return Poses(torch.from_numpy(points), torch.from_numpy(read[..., 2]), brightness)


def _read_parts(people: list[dict], name: str) -> tuple[list[list[np.ndarray]], list[np.ndarray]]:
    """[K, 3] x, y, c of each person's PARTS and of the exact list; logs what can't be read.

    Raises:
        UserError: no part can be read.
    """
    problems: dict[str, list[str]] = {}
    parts = [
        [_numbers(person, part.key, part.lengths, problems) for part in PARTS] for person in people
    ]
    exact = [_numbers(person, EXACT, (NUM_POINTS,), problems) for person in people]
    if problems and not any(x[:, 2].any() for person in parts for x in person):
        key, faults = next(iter(problems.items()))
        raise UserError(f"{key} {faults[0]}.")
    for key, faults in problems.items():
        logging.warning(
            "%s: %s %s. This part is left out for %d of %s.",
            name,
            key,
            faults[0],
            len(faults),
            count_people(len(people)),
        )
    return parts, exact


def canvas_size(frame: dict) -> tuple[int, int] | None:
    """(height, width) of a frame's canvas in pixels; None if the frame does not contain it.

    Raises:
        UserError: the size is not valid, or the frame is not in OpenPose's format.
    """
    list_frame_people(frame)
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
    """Whether poses change their proportions if a canvas is stretched to a size, both (H, W)."""
    return abs(canvas[0] * size[1] / (canvas[1] * size[0]) - 1) > MAX_STRETCH


def _write_part(part: Part, points: np.ndarray, scores: np.ndarray) -> list[float]:
    ids = np.arange(NUM_POINTS)[part.points]
    seen = scores >= MIN_SCORE
    if not seen[ids].any():
        return [0.0] * (3 * part.lengths[0])
    if part.points == FACE:
        ids = np.append(ids, EYES)
    triples = np.concatenate([points[ids], np.ones((len(ids), 1))], axis=1)
    return np.where(seen[ids, None], triples, 0.0).ravel().tolist()


def list_frame_people(frame: dict) -> list[dict]:
    """The people of a frame in OpenPose's format; their points are not checked.

    Raises:
        UserError: the frame is not in OpenPose's format.
    """
    if not isinstance(frame, Mapping):
        raise UserError(
            f"Expected poses in OpenPose's format, a dictionary with `people`, got {type(frame)}."
        )
    if "people" not in frame:
        kind = "animals" if "animals" in frame else first_names(frame) or "nothing"
        raise UserError(f"The poses contain {kind} but not `people`. Only people can be drawn.")
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
    """A person's list as [K, 3] x, y, c; K = 0 if the list is missing or can't be read.

    A list that can't be read is added to `problems`. None in a list becomes NaN: not found.
    """
    values = person.get(key)
    try:
        # With the type object, texts and booleans of a list are not converted to numbers.
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
    """A tensor or array of one number as a plain number; other values unchanged."""
    return value.item() if getattr(value, "shape", None) == () else value


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, Real) and not isinstance(value, bool))


def _read_person(
    parts: list[np.ndarray], units: np.ndarray, exact: np.ndarray, rounding: float
) -> np.ndarray:
    """The points of a person: [134, 3] x, y in 0..1, and score.

    Args:
        parts: [K, 3] x, y, c of each part.
        units: [parts, 2] divisors from `find_units`.
        exact: [134, 3] from the additional list, or [0, 3] without this list.
        rounding: pixels by which a point that was not moved may differ from the exact point.
    """
    standard, divisor = np.zeros((NUM_POINTS, 3)), np.ones((NUM_POINTS, 2))
    for part, triples, unit in zip(PARTS, parts, units, strict=True):
        if part.points == BODY and len(triples) == 25:
            standard[FEET], divisor[FEET] = triples[FEET_25], unit
            triples = triples[BODY_25]
        count = min(len(triples), len(standard[part.points]))
        if count:
            standard[part.points][:count], divisor[part.points] = triples[:count], unit
    standard[:, :2] /= divisor
    standard[:, 2] = standard[:, 2].clip(0, 1)  # some programs write 2 for a visible point
    return _with_exact(standard, exact, divisor, rounding) if len(exact) else standard


def _brightness(person: dict) -> float:
    value = person.get(BRIGHTNESS)
    if not isinstance(value, Real) or isinstance(value, bool) or value != value:
        return 1.0
    return float(min(max(value, 0), 1))


def _with_exact(
    standard: np.ndarray, exact: np.ndarray, divisor: np.ndarray, rounding: float
) -> np.ndarray:
    """The points of OpenPose's lists; each point that no editor changed gets its exact values."""
    is_visible = standard[:, 2] > 0
    was_visible = exact[:, 2] >= MIN_SCORE
    was_visible[FEET] = is_visible[FEET]  # `to_openpose` does not write feet
    near = np.where(divisor > 1, rounding / divisor, ROUNDING_OF_PARTS)
    # Written so that NaN counts as moved.
    moved = ~(np.abs(exact[:, :2] - standard[:, :2]) <= near).all(1)
    changed = (was_visible != is_visible) | (is_visible & moved)
    # Points with low scores are kept only in parts that were not edited.
    invisible = ~was_visible & ~is_visible
    for part in PARTS:
        if changed[part.points].any() or (changed[BODY].any() and invisible[part.points].all()):
            changed[part.points] |= invisible[part.points]
    return np.where(changed[:, None], standard, exact)
