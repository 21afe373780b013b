"""Boxes that other programs have found or drawn in pictures -> the boxes of one object.

A box is a dictionary {x, y, width, height} in pixels, of a detector also with a label and a score.
There is one such box, a list of boxes for one picture, or a list of lists for several pictures.

Source: ComfyUI's type BOUNDING_BOX, comfy_api/latest/_io.py, comfy_extras/nodes_rtdetr.py.
"""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from ..choices import XYWH
from ..errors import UserError
from ..quoting import quote
from .placing import BoxForm, place_keys, place_track
from .types import MAX_FRAMES, BoxTrack, KeyBoxes, check_label

Box = Mapping[str, Any]
SIDES = ("x", "y", "width", "height")
MOST_IN_A_FRAME = 1000


def list_detections(found: Any, *, name: str) -> list[list[Box]]:
    """The boxes of each picture.

    Args:
        found: the value of a detector or a canvas.
        name: of the value, for messages.

    Raises:
        UserError: the value is no box and no list of boxes, or there is no box at all.
    """
    if isinstance(found, Mapping):
        found = [found]
    if isinstance(found, Sequence) and not isinstance(found, str):
        if found and isinstance(found[0], Mapping):
            found = [found]
        frames = [[] if frame is None else frame for frame in found]
        if all(isinstance(frame, Sequence) and not isinstance(frame, str) for frame in frames):
            _check_boxes(frames, name)
            return [list(frame) for frame in frames]
    raise UserError(
        f"{name} is {quote(found)}; expected a box x, y, width, height, or a list of boxes for "
        "each picture: connect Create Bounding Boxes, Bounding Box or a detector."
    )


def pick_object(
    frames: Sequence[Sequence[Box]], number: int, *, label: str, name: str
) -> list[Box | None]:
    """The boxes of one object: None where it is not found.

    In the first picture with enough boxes it is box `number`; in the others the box that overlaps
    the object's last box most. Where no box overlaps, the object is absent, unless no picture has
    more than one box.

    Args:
        frames: from `list_detections`.
        number: 1 is the first box of a picture: the first drawn, or the surest.
        label: of the object. If some boxes have this label, the others do not count.
        name: of the value, for messages.

    Raises:
        UserError: no picture has so many boxes.
    """
    word = label.strip().casefold()
    alike = [[box for box in frame if _label(box).casefold() == word] for frame in frames]
    frames = alike if word and any(alike) else frames
    start = next((i for i, frame in enumerate(frames) if len(frame) >= number), None)
    if start is None:
        most = max(map(len, frames))
        raise UserError(
            f"Box {number} is asked for, but {name} has at most {most} in a picture; expected a "
            f"number from 1 to {most}."
        )
    if max(map(len, frames)) == 1:
        return [frame[0] if frame else None for frame in frames]
    last = frames[start][number - 1]
    picked: list[Box | None] = [*[None] * start, last]
    for frame in frames[start + 1 :]:
        picked.append(_nearest(frame, last))
        last = picked[-1] or last
    return picked


def detected_label(boxes: Sequence[Box | None], label: str) -> str:
    """The label, or if it is empty that of the first box with one, or empty."""
    return label if label.strip() else next(filter(None, map(_label, boxes)), "")


def detected_track(
    boxes: Sequence[Box | None], size: tuple[int, int], *, label: str, name: str
) -> BoxTrack:
    """A track of the boxes that `pick_object` has picked, one for each picture.

    Args:
        size: (height, width) of the pictures, in pixels.

    Raises:
        UserError: a box is not possible, or the label is empty or too long.
    """
    check_label(label, name)
    form = BoxForm(XYWH, size=size)
    return place_track(label, *_numbers(boxes), form, name=name, strict=False)


def detected_keys(
    boxes: Sequence[Box | None],
    frames: Sequence[int],
    size: tuple[int, int],
    *,
    label: str,
    name: str,
) -> KeyBoxes:
    """Key boxes in some frames, as `detected_track`; they may leave the frame."""
    check_label(label, name)
    form = BoxForm(XYWH, size=size)
    return place_keys(label, frames, *_numbers(boxes), form, name=name)


def box_overlap(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The share of what two boxes cover that both of them cover: 0..1; 0 if there is no area.

    Args:
        one, other: [..., 4] corners x1, y1, x2, y2 in one unit.
    """
    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    low, high = np.maximum(one[..., :2], other[..., :2]), np.minimum(one[..., 2:], other[..., 2:])
    both = (high - low).clip(0).prod(-1)
    areas = [(x[..., 2:] - x[..., :2]).clip(0).prod(-1) for x in (one, other)]
    whole = areas[0] + areas[1] - both
    return np.divide(both, whole, out=np.zeros_like(both), where=whole > 0)


def _check_boxes(frames: Sequence[Sequence[Any]], name: str) -> None:
    """Raise UserError unless the frames hold boxes, at least one and not too many."""
    if not any(frames):
        raise UserError(
            f"{name} holds no box; expected at least one: draw a box, or lower the detector's "
            "threshold."
        )
    if len(frames) > MAX_FRAMES or max(map(len, frames)) > MOST_IN_A_FRAME:
        raise UserError(
            f"{name} holds {len(frames)} pictures with up to {max(map(len, frames))} boxes; "
            f"expected at most {MAX_FRAMES} pictures with {MOST_IN_A_FRAME} boxes."
        )
    for place, frame in enumerate(frames, 1):
        for box in frame:
            if not isinstance(box, Mapping) or not all(_is_number(box.get(key)) for key in SIDES):
                raise UserError(
                    f"{name}: a box of picture {place} is {quote(box)}; expected numbers x, y, "
                    "width and height."
                )


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _nearest(frame: Sequence[Box], last: Box) -> Box | None:
    """The box of a frame that overlaps another box most; None if no box does."""
    shares = [float(box_overlap(_corners(last), _corners(box))) for box in frame]
    most = max(shares, default=0.0)
    return frame[shares.index(most)] if most > 0 else None


def _label(box: Box | None) -> str:
    label = (box or {}).get("label")
    return label.strip() if isinstance(label, str) else ""


def _corners(box: Box) -> np.ndarray:
    x, y, width, height = (box[key] for key in SIDES)
    return np.array([x, y, x + width, y + height], np.float64)


def _numbers(boxes: Sequence[Box | None]) -> tuple[np.ndarray, np.ndarray]:
    """Numbers [N, 4] and present [N] bool."""
    numbers = [[box[key] for key in SIDES] if box else [0] * 4 for box in boxes]
    return np.array(numbers, np.float64), np.array([box is not None for box in boxes], bool)
