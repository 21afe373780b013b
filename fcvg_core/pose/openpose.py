"""Poses as OpenPose's JSON, which other ComfyUI packs and editors read and write.

A frame is {"people": [...], "canvas_height": H, "canvas_width": W}; a person has flat lists of
x, y, c in pixels of the canvas. Packs drop a point whose c is not 1, so a score has no place
there: our exact numbers travel in a further list that others leave alone.

Source: OpenPose's output.md; Fannovel16/comfyui_controlnet_aux (POSE_KEYPOINT).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real

import numpy as np
import torch

from ..errors import UserError
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
        person = {part.key: _write_part(part, points * (width, height), scores)
                  for part in PARTS if part.written}  # fmt: skip
        exact = np.concatenate([points, scores[:, None]], axis=1)
        fading = {} if brightness == 1 else {BRIGHTNESS: float(brightness)}
        people.append({**person, EXACT: exact.ravel().tolist(), **fading})
    return {"people": people, "canvas_height": height, "canvas_width": width}


def from_openpose(frame: dict, *, size: tuple[int, int] | None = None) -> Poses:
    """The people of a frame in OpenPose's form, from any program: [P, ...], P >= 0.

    Numbers are pixels of the canvas, or parts of it where none that is seen is above 2. A part
    that is missing was not found. Where somebody moved, added or deleted points, that counts, not
    the exact numbers beside them. Bodies of 18 and 25 points are known.

    Args:
        frame: one item of a POSE_KEYPOINT, or what a JSON file of OpenPose holds.
        size: (height, width) in pixels of a canvas that the frame itself does not tell.

    Raises:
        UserError: it is something else.
    """
    people = _people(frame)
    if not people:
        return nobody()
    canvas = _canvas(people, canvas_size(frame) or size)
    read = np.stack([_read_person(person, canvas) for person in people])
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
    if not all(isinstance(v, Real) and np.isfinite(v) and v >= 1 for v in values):
        raise UserError(
            f"The poses' canvas_height and canvas_width are {values[0]!r} and {values[1]!r}; "
            "expected numbers of pixels, each at least 1."
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
    """Those of a frame; ValueError where it is not OpenPose's."""
    if not isinstance(frame, Mapping):
        raise UserError(
            f"Expected poses in OpenPose's form, a dictionary with `people`, got {type(frame)}."
        )
    if "people" not in frame:
        kind = "animals" if "animals" in frame else ", ".join(map(str, frame)) or "nothing"
        raise UserError(f"The poses hold {kind}, and no `people`: FCVG knows people only.")
    people = [] if frame["people"] is None else frame["people"]
    if not isinstance(people, (list, tuple)):
        raise UserError(f"`people` of the poses is {people!r}; expected a list.")
    people = [person for person in people if person is not None]
    if not all(isinstance(person, Mapping) for person in people):
        raise UserError("A person of the poses is not a dictionary of OpenPose's keypoint lists.")
    return people


def _canvas(people: list[dict], size: tuple[int, int] | None) -> np.ndarray:
    """Width and height by which the numbers of a frame are divided."""
    points = np.concatenate([_triples(person, part) for person in people for part in PARTS])
    points = points[np.isfinite(points).all(1) & (points[:, 2] > 0)]
    if not (np.abs(points[:, :2]) > MAX_PART).any():
        return np.ones(2)
    if size is None:
        raise UserError(
            "The poses are in pixels but do not say of what: add canvas_width and canvas_height."
        )
    return np.array(size[::-1], np.float64)


def _read_person(person: dict, canvas: np.ndarray) -> np.ndarray:
    """[134, 3] x, y in 0..1, and score."""
    shown = np.zeros((NUM_POINTS, 3))
    for part in PARTS:
        triples = _triples(person, part)
        if part.points == BODY and len(triples) == 25:
            shown[FEET] = triples[FEET_25]
            triples = triples[BODY_25]
        count = min(len(triples), len(shown[part.points]))
        shown[part.points][:count] = triples[:count]
    shown[:, :2] /= canvas
    shown[:, 2] = shown[:, 2].clip(0, 1)  # some programs write 2 for a point that is visible
    return _exact(person, shown, canvas)


def _brightness(person: dict) -> float:
    value = person.get(BRIGHTNESS)
    return min(max(float(value), 0.0), 1.0) if isinstance(value, Real) else 1.0


def _exact(person: dict, shown: np.ndarray, canvas: np.ndarray) -> np.ndarray:
    """What is shown, with the exact numbers wherever nobody changed it."""
    values = _numbers(person, EXACT)
    if values.size != 3 * NUM_POINTS:
        return shown
    exact = values.reshape(NUM_POINTS, 3)
    is_shown = shown[:, 2] > 0
    was_shown = exact[:, 2] >= MIN_SCORE
    was_shown[FEET] = is_shown[FEET]  # we do not write them
    rounding = np.where(canvas > 1, ROUNDING / canvas, ROUNDING_OF_PARTS)
    moved = (np.abs(exact[:, :2] - shown[:, :2]) > rounding).any(1)
    changed = (was_shown != is_shown) | (is_shown & moved)
    # Points too unsure to be shown stay only beside what nobody touched.
    unshown = ~was_shown & ~is_shown
    for part in PARTS:
        if changed[part.points].any() or (changed[BODY].any() and unshown[part.points].all()):
            changed[part.points] |= unshown[part.points]
    return np.where(changed[:, None], shown, exact)


def _triples(person: dict, part: Part) -> np.ndarray:
    """[K, 3] x, y, c of a part; K = 0 where it is missing."""
    values = _numbers(person, part.key)
    if values.size and values.size not in [3 * length for length in part.lengths]:
        expected = " or ".join(str(3 * length) for length in sorted(part.lengths))
        raise UserError(
            f"{part.key} has {values.size} numbers; expected {expected} (x, y and confidence of "
            "each point), or none."
        )
    return values.reshape(-1, 3)


def _numbers(person: dict, key: str) -> np.ndarray:
    """A list of numbers, flat; None in it becomes not a number, which counts as not found."""
    values = person.get(key)
    if values is None:
        values = []
    try:
        if isinstance(values, (str, Mapping)):
            raise TypeError(f"it is {type(values)}")
        return np.asarray(values, np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise UserError(f"{key} is not a list of numbers: {error}.") from error
