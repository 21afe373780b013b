"""Numbers of a file -> boxes as shares of the frame, checked and clipped, and back."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..canvas import in_words, is_side
from ..choices import BOX_FORMS, BOX_UNITS, PIXELS, SHARES, XYWH, XYXY
from ..errors import UserError
from ..placement import is_same_shape
from ..quoting import quote
from .types import BoxTrack, KeyBoxes

FARTHEST = 2.0**20  # pixels from the corner of the picture
FARTHEST_SHARE = 10.0  # a larger number of a share is pixels
NEGLIGIBLE = 1e-4  # a share of the frame: boxes that leave it by less are clipped without a word
GONE = "there the object counts as absent"


@dataclass(frozen=True)
class BoxForm:
    """What the four numbers of a box mean.

    Attributes:
        form: xyxy: two corners. xywh: the upper left corner, width and height.
        unit: pixels, or shares of the frame in 0..1.
        size: (height, width) of the picture, needed for pixels.

    Raises:
        UserError: the unit is pixels, and there is no size.
        ValueError: a word is not one of its list, or the size is not possible.
    """

    form: str = XYXY
    unit: str = PIXELS
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        for name, word, words in (("form", self.form, BOX_FORMS), ("unit", self.unit, BOX_UNITS)):
            if word not in words:
                raise ValueError(f"Unknown {name} {word!r}: expected one of {', '.join(words)}.")
        if self.size is not None and not all(map(is_side, self.size)):
            raise ValueError(f"expected a size (height, width) in pixels, got {self.size}")
        if self.unit == PIXELS and self.size is None:
            raise UserError(
                "The boxes are in pixels of a picture whose size is unknown: give the picture, or "
                f"boxes in {SHARES}."
            )

    @property
    def scale(self) -> np.ndarray:
        """What shares are multiplied by: [4]."""
        height, width = self.size if self.unit == PIXELS else (1, 1)
        return np.array([width, height, width, height], np.float64)


def place_track(
    label: str,
    numbers: np.ndarray,
    present: np.ndarray,
    form: BoxForm,
    *,
    name: str,
    strict: bool = True,
    level: int | None = None,
) -> BoxTrack:
    """A track from the numbers of a file.

    A box 0, 0, 0, 0 is absent. A box that leaves the frame is clipped, and a box outside of it is
    absent; the log says both.

    Args:
        numbers: [T, 4] float64.
        present: [T] bool; other boxes are not looked at.
        name: of the boxes, for messages.
        strict: a box without area is an error, as it is if a person wrote the boxes; in a data
            set such a box is absent.
        level: of the log; None: a warning if it is strict, otherwise information.

    Raises:
        UserError: a number is NaN, infinite or much too large, or a box is reversed; see also
            `strict`.
    """
    if level is None:
        level = logging.WARNING if strict else logging.INFO
    corners, present, empty = _to_corners(numbers, present, form, name, strict)
    if not strict:
        _report(empty, f"have no area: {GONE}", name, level)
    return clip_track(label, corners, present & ~empty, name=name, level=level)


def place_keys(
    label: str,
    frames: Sequence[int],
    numbers: np.ndarray,
    present: np.ndarray,
    form: BoxForm,
    *,
    name: str,
) -> KeyBoxes:
    """Key boxes from the numbers of a file; as `place_track`, but boxes may leave the frame."""
    corners, present, _ = _to_corners(numbers, present, form, name, strict=True)
    return KeyBoxes(label, tuple(frames), corners, present)


def clip_track(
    label: str,
    corners: np.ndarray,
    present: np.ndarray,
    *,
    name: str | None = None,
    level: int = logging.INFO,
) -> BoxTrack:
    """A track of the parts of boxes that lie inside the frame; without such a part: absent.

    Args:
        corners: [T, 4] x1, y1, x2, y2 as shares of the frame; they may lie outside of 0..1.
        present: [T] bool.
        name: of the boxes, for the log, which says what is clipped; None: nothing is said.
        level: of the log.
    """
    track = BoxTrack(label, np.clip(corners, 0, 1), present)
    beyond = (corners[:, :2] < -NEGLIGIBLE) | (corners[:, 2:] > 1 + NEGLIGIBLE)
    if name is not None:
        _report(track.present & beyond.any(axis=1), "leave the frame and are clipped", name, level)
        _report(present & ~track.present, f"lie outside of the frame: {GONE}", name, level)
        if present.any() and not track.present.any():
            logging.log(
                level,
                "%s: no box lies in the frame, so the object is absent. Check the size of the "
                "picture, and whether the boxes are xyxy or xywh.",
                name,
            )
    return track


def read_numbers(values: Sequence[Any], expected: str) -> tuple[np.ndarray, np.ndarray]:
    """Values of JSON as numbers [T, 4] float64, and present [T] bool: null is an absent box.

    Args:
        expected: what the numbers of a box are, in words.

    Raises:
        ValueError: a value is neither four numbers nor null; the message says which.
    """
    for place, box in enumerate(values, 1):
        four = isinstance(box, list) and len(box) == 4
        if box is not None and not (four and all(type(x) in (int, float) for x in box)):
            raise ValueError(f"box {place} is {quote(box)}, not {expected} or null")
    present = np.array([box is not None for box in values], bool)
    numbers = np.array([box or (0, 0, 0, 0) for box in values], np.float64)
    return numbers.reshape(-1, 4), present


def to_numbers(track: BoxTrack, form: BoxForm) -> np.ndarray:
    """The numbers of a track's boxes for a file: [T, 4] float64; absent boxes are zeros."""
    numbers = track.boxes * form.scale
    if form.form == XYWH:
        numbers[:, 2:] -= numbers[:, :2]
    return numbers


def number_text(number: float) -> str:
    """A number with the seven digits that float32 has, without trailing zeros."""
    return f"{number:.7g}"


def check_size(annotated: tuple[int, int], frames: tuple[int, int], name: str) -> None:
    """Raise UserError if boxes were made for frames of other proportions.

    Args:
        annotated, frames: (height, width) in pixels, of the frames that the boxes belong to and of
            those that are there. The same proportions are enough, since boxes are shares.
        name: of the boxes, for messages.
    """
    if not is_same_shape(annotated, frames):
        raise UserError(
            f"{name} holds boxes of frames of {in_words(annotated)} pixels, but the frames have "
            f"{in_words(frames)}; expected the same proportions: use the frames that the boxes "
            "were made for."
        )


def _to_corners(
    numbers: np.ndarray, present: np.ndarray, form: BoxForm, name: str, strict: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Checked numbers as corners [T, 4] in shares, where they are present, and without area [T]."""
    present = present & numbers.any(axis=1)
    numbers = np.where(present[:, None], numbers, 0)
    _check_numbers(numbers, form, name)
    corners = numbers / form.scale
    if form.form == XYWH:
        corners[:, 2:] += corners[:, :2]
    empty = present & (numbers[:, 2:] == (0 if form.form == XYWH else numbers[:, :2])).any(axis=1)
    if strict:
        _check_area(numbers, present, empty, form, name)
    return corners, present, empty


def _check_numbers(numbers: np.ndarray, form: BoxForm, name: str) -> None:
    """Raise UserError if a box is no box, or its unit is another one."""
    for bad, said in (
        (~np.isfinite(numbers), "expected four finite numbers"),
        (np.abs(numbers) > FARTHEST, f"expected numbers from -{FARTHEST:.0f} to {FARTHEST:.0f}"),
    ):
        if bad.any():
            raise UserError(f"{name}: {_first(numbers, bad.any(axis=1))}; {said}. Correct it.")
    if form.unit == SHARES and (np.abs(numbers) > FARTHEST_SHARE).any():
        far = (np.abs(numbers) > FARTHEST_SHARE).any(axis=1)
        raise UserError(
            f"{name}: {_first(numbers, far)}; expected shares of the frame in {SHARES}. If these "
            f"are pixels, choose {PIXELS}."
        )
    if form.form == XYWH:
        turned, wanted = numbers[:, 2:] < 0, "a width and a height above 0"
    else:
        turned, wanted = numbers[:, 2:] < numbers[:, :2], "x1 < x2 and y1 < y2"
    if turned.any():
        other = XYWH if form.form == XYXY else XYXY
        raise UserError(
            f"{name}: {_first(numbers, turned.any(axis=1))}, which is reversed; expected "
            f"{form.form} with {wanted}. If the numbers are {other}, choose {other}."
        )


def _check_area(
    numbers: np.ndarray, present: np.ndarray, empty: np.ndarray, form: BoxForm, name: str
) -> None:
    """Raise UserError if a box has no area, or all boxes together are one pixel in the corner."""
    if empty.any():
        raise UserError(
            f"{name}: {_first(numbers, empty)}, which has no area; expected a width and a height "
            "above 0, or 0,0,0,0 where the object is absent."
        )
    if form.unit == PIXELS and present.any() and (np.abs(numbers) <= 1).all():
        raise UserError(
            f"{name}: no number is above 1, for example {_told(numbers[present][0])}; expected "
            f"pixels{_of_size(form)}. If these are shares of the frame, choose {SHARES}."
        )


def _report(found: np.ndarray, said: str, name: str, level: int) -> None:
    """Log how many boxes are not as they were given; found: [T] bool."""
    if found.any():
        logging.log(
            level,
            "%s: %d of %d boxes %s (the first is box %d).",
            name,
            found.sum(),
            len(found),
            said,
            found.argmax() + 1,
        )


def _first(numbers: np.ndarray, bad: np.ndarray) -> str:
    """The first bad box in words: "box 3 is 10,20,5,40"."""
    place = int(bad.argmax())
    return f"box {place + 1} is {_told(numbers[place])}"


def _told(box: np.ndarray) -> str:
    return quote(",".join(map(number_text, box)))[1:-1]


def _of_size(form: BoxForm) -> str:
    return f" of {in_words(form.size)} pixels" if form.unit == PIXELS else ""
