"""Text with a box on each line <-> a track: bbox.txt of SMCD, groundtruth.txt of GOT-10k, keys.

bbox.txt has a box for each frame, x1,y1,x2,y2 in pixels of the picture. groundtruth.txt has
x,y,w,h. A line of key boxes begins with its frame, counted from 0: "12: 10,20,110,90", or
"12: none" where the object leaves. Numbers are separated by commas, tabs or spaces, and none stands
for the box of an absent object in every text.

Source: Mingxiao-Li/Animate-Your-Motion inference_customize.py, data/got10k_dataset.py.
"""

import logging
import re
from collections.abc import Iterator

import numpy as np

from ..choices import XYWH
from ..errors import UserError
from ..quoting import quote
from .placing import BoxForm, number_text, place_keys, place_track, to_numbers
from .types import MAX_BOXES, MAX_FRAMES, BoxTrack, KeyBoxes, check_label

MAX_TEXT = 64 * 2**20  # characters or bytes
ABSENT = "none"
SEPARATOR = re.compile(r"\s*[,;]\s*|\s+")
KEY = re.compile(r"\s*(\d{1,9})\s*:(.*)", re.DOTALL)


def read_bbox_txt(text: str | bytes, form: BoxForm, *, label: str, name: str) -> BoxTrack:
    """A track from a text with a box on each line; blank lines are left out.

    Args:
        text: bytes are UTF-8, or UTF-16 with a byte-order mark.
        form: what the numbers mean.
        label: what the object is, in words.
        name: of the text, for messages.

    Returns:
        A track with as many frames as there are boxes.

    Raises:
        UserError: there is no box, a line has another form, or a box is not possible, see
            `place_track`. The message says which line or box.
    """
    return _read_track(text, form, label, name, strict=True)


def read_key_boxes(text: str | bytes, form: BoxForm, *, label: str, name: str) -> KeyBoxes:
    """Key boxes from a text such as "0: 10,20,110,90"; for the rest see `read_bbox_txt`.

    Lines without a frame are the frames 0, 1, 2, ...; either all lines have a frame or none has.
    Key boxes may leave the frame: `interpolate_boxes` clips what lies outside.
    """
    check_label(label, name)
    rows = list(_lines(text, name))
    keys = [KEY.fullmatch(line) for _, line in rows]
    keyed = any(keys)
    numbers = np.zeros((len(rows), 4))
    for i, ((place, line), key) in enumerate(zip(rows, keys, strict=True)):
        if keyed and not key:
            raise UserError(
                f"{name}: line {place} is {quote(line)}, without a frame; expected a frame before "
                "each box, for example 0: 10,20,110,90, or before none."
            )
        numbers[i] = _numbers(key[2] if key else line, place, name)
    frames = [int(key[1]) if key else i for i, key in enumerate(keys)]
    return place_keys(label, frames, numbers, np.ones(len(rows), bool), form, name=name)


def read_got10k(
    text: str | bytes,
    size: tuple[int, int],
    *,
    label: str,
    name: str,
    level: int = logging.INFO,
) -> BoxTrack:
    """A track from GOT-10k's groundtruth.txt; a box without area is absent.

    Args:
        text: lines x,y,w,h in pixels; see `read_bbox_txt`.
        size: (height, width) of the frames; meta_info.ini has it as (width, height).
        level: of the log, which says what is clipped.

    Raises:
        UserError: as `read_bbox_txt`.
    """
    return _read_track(text, BoxForm(XYWH, size=size), label, name, strict=False, level=level)


def to_bbox_txt(track: BoxTrack, form: BoxForm) -> str:
    """The boxes of a track, one a line; an absent box is 0,0,0,0."""
    rows = to_numbers(track, form)
    return "".join(f"{','.join(map(number_text, row))}\n" for row in rows)


def to_got10k(track: BoxTrack, size: tuple[int, int]) -> str:
    """The boxes of a track as GOT-10k's groundtruth.txt, for frames of `size` (height, width)."""
    return to_bbox_txt(track, BoxForm(XYWH, size=size))


def lines_of(text: str | bytes, name: str) -> Iterator[tuple[int, list[float]]]:
    """The number of each line, and its numbers; blank lines are left out.

    Raises:
        UserError: the text is too long or no text, or a line holds something else than numbers.
    """
    for place, line in _lines(text, name, MAX_BOXES):
        yield place, _floats(line, place, name)


def decode(text: str | bytes, name: str) -> str:
    """The text of bytes in UTF-8, or in UTF-16 with a byte-order mark; without this mark.

    Raises:
        UserError: the text is too long, or the bytes are no such text.
    """
    if len(text) > MAX_TEXT:
        raise UserError(f"{name} has {len(text)} characters; expected {MAX_TEXT} at most.")
    if isinstance(text, bytes):
        try:
            wide = text.startswith((b"\xff\xfe", b"\xfe\xff"))
            text = text.decode("utf-16" if wide else "utf-8")
        except UnicodeDecodeError as error:
            raise UserError(f"{name} is not text in UTF-8; expected lines of numbers.") from error
    return text.removeprefix("\ufeff")


def _read_track(
    text: str | bytes,
    form: BoxForm,
    label: str,
    name: str,
    *,
    strict: bool,
    level: int | None = None,
) -> BoxTrack:
    check_label(label, name)
    rows = [_numbers(line, place, name) for place, line in _lines(text, name)]
    numbers = np.array(rows, np.float64)
    present = np.ones(len(rows), bool)
    return place_track(label, numbers, present, form, name=name, strict=strict, level=level)


def _lines(text: str | bytes, name: str, most: int = MAX_FRAMES) -> Iterator[tuple[int, str]]:
    """The number and the text of each line that is not blank; UserError: there is none."""
    lines = decode(text, name).splitlines()
    count = sum(map(bool, map(str.strip, lines)))
    if count > most:
        raise UserError(f"{name} has {count} lines; expected {most} at most: cut it into parts.")
    if not count:
        raise UserError(f"{name} holds no boxes; expected a line with four numbers for each box.")
    return ((place, line) for place, line in enumerate(lines, 1) if line.strip())


def _numbers(line: str, place: int, name: str) -> list[float]:
    """The four numbers of a line; zeros if the object is absent."""
    if line.strip().lower() == ABSENT:
        return [0.0] * 4
    found = _floats(line, place, name)
    if len(found) != 4:
        raise UserError(
            f"{name}: line {place} has {len(found)} numbers; expected four, for example "
            "10,20,110,90. Correct the line."
        )
    return found


def _floats(line: str, place: int, name: str) -> list[float]:
    try:
        return [float(word) for word in SEPARATOR.split(line.strip(" \t,;"))]
    except ValueError as error:
        raise UserError(
            f"{name}: line {place} is {quote(line.strip())}; expected numbers separated by commas "
            "or spaces, for example 10,20,110,90. Correct the line."
        ) from error
