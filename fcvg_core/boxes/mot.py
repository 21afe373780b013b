"""Boxes in the form of the MOTChallenge <-> tracks.

A line is frame, id, left, top, width, height, and what counts no more here: whether the line
counts (0: it does not), a class, the visible share. Frames are counted from 1. In gt.txt lines may
stand in any order.

Source: motchallenge.net; the paper of its benchmark MOT16, table 6.
Differs: coordinates are not moved by the pixel by which MATLAB counts from 1.
"""

from collections.abc import Mapping

import numpy as np

from ..choices import XYWH
from ..errors import UserError
from .box_lines import lines_of
from .placing import FARTHEST, BoxForm, number_text, place_track, to_numbers
from .types import MAX_FRAMES, BoxTracks, check_amount, check_label

MOT_FORM = "frame (from 1), id (from 0), left, top, width, height"
Rows = dict[int, tuple[list[int], list[list[float]]]]  # of each id: frames, boxes


def read_mot(
    text: str | bytes,
    size: tuple[int, int],
    *,
    label: str,
    name: str,
    labels: Mapping[int, str] | None = None,
    num_frames: int | None = None,
) -> BoxTracks:
    """Tracks from a file of the MOTChallenge, in the order of their ids.

    Lines whose seventh number is 0 do not count. A box without area is absent.

    Args:
        text: lines of numbers; bytes are UTF-8.
        size: (height, width) of the frames, in pixels.
        label: what the objects are, in words.
        name: of the text, for messages.
        labels: what other objects are, by id.
        num_frames: of the video; later boxes are left out. None: up to the last box.

    Raises:
        UserError: there is no box, or a line has another form.
    """
    check_label(label, name)
    rows = _read_rows(text, name)
    last = max((max(frames) for frames, _ in rows.values()), default=0)
    count = last if num_frames is None else num_frames
    if count < 1:
        raise UserError(
            f"{name} holds no box that counts; expected lines of {MOT_FORM}, and a seventh number "
            "that is not 0, if there is one."
        )
    check_amount(len(rows), count, name)
    tracks = []
    for number in sorted(rows):
        frames, found = map(np.asarray, rows[number])
        inside = frames <= count
        numbers, present = np.zeros((count, 4)), np.zeros(count, bool)
        numbers[frames[inside] - 1], present[frames[inside] - 1] = found[inside], True
        called = f"object {number} of {name}"
        word = (labels or {}).get(number, label)
        form = BoxForm(XYWH, size=size)
        tracks.append(place_track(word, numbers, present, form, name=called, strict=False))
    return BoxTracks(tuple(tracks), count)


def to_mot(tracks: BoxTracks, size: tuple[int, int]) -> str:
    """Tracks as a file of the MOTChallenge; ids count from 1, and labels are not in it.

    Args:
        size: (height, width) of the frames, in pixels.
    """
    form = BoxForm(XYWH, size=size)
    rows = []
    for number, track in enumerate(tracks.tracks, 1):
        numbers = to_numbers(track, form)
        rows += [(int(i) + 1, number, numbers[i]) for i in np.flatnonzero(track.present)]
    rows.sort(key=lambda row: row[:2])
    return "".join(
        f"{frame},{number},{','.join(map(number_text, box))},1,-1,-1\n"
        for frame, number, box in rows
    )


def _read_rows(text: str | bytes, name: str) -> Rows:
    """Frames and boxes of each id; UserError says which line is wrong."""
    rows: Rows = {}
    taken: set[tuple[int, int]] = set()
    for place, numbers in lines_of(text, name):
        if len(numbers) < 6:
            raise UserError(
                f"{name}: line {place} has {len(numbers)} numbers; expected at least six: "
                f"{MOT_FORM}."
            )
        frame, number = (_whole(x) for x in numbers[:2])
        if not 1 <= frame <= MAX_FRAMES or not 0 <= number <= FARTHEST:
            found = ", ".join(map(number_text, numbers[:2]))
            raise UserError(
                f"{name}: line {place} begins with {found}; expected {MOT_FORM}, with at most "
                f"{MAX_FRAMES} frames. Files of detections, whose ids are -1, hold no tracks."
            )
        if len(numbers) > 6 and numbers[6] == 0:
            continue
        if (frame, number) in taken:
            raise UserError(
                f"{name}: line {place} is the second box of object {number} in frame {frame}; "
                "expected one box for each object and frame. Remove one of them."
            )
        taken.add((frame, number))
        frames, boxes = rows.setdefault(number, ([], []))
        frames.append(frame)
        boxes.append(numbers[2:6])
    return rows


def _whole(number: float) -> int:
    """A whole number; -1 for any other number."""
    return int(number) if number.is_integer() else -1
