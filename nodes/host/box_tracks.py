"""What the nodes of boxes need of the host's values: sizes, boxes of its canvas, and a preview."""

import logging
from collections.abc import Collection
from typing import Any

import numpy as np
import torch
from comfy_api.latest import ui
from torch import Tensor

from ...fcvg_core.boxes import (
    BoxReading,
    BoxTrack,
    BoxTracks,
    around_person,
    around_points,
    detected_keys,
    detected_label,
    detected_track,
    draw_boxes,
    interpolate_boxes,
    list_detections,
    pick_object,
    read_boxes,
    resample_boxes,
)
from ...fcvg_core.choices import PATHS, PEOPLE
from ...fcvg_core.errors import UserError
from ...fcvg_core.frames import fit_frame, to_uint8
from ...fcvg_core.motion import LineTrack, MotionTrack
from ...fcvg_core.quoting import quote
from .animation import play, shown_frames, shown_size

FPS = 8.0  # at which the official code shows a video
NO_PICTURE = (256, 256)  # pixels of a preview without a picture
PERSON = "person"
MOST_DIGITS = 20


def picture_size(width: int, height: int, image: Tensor | None) -> tuple[int, int] | None:
    """(height, width) of the picture that boxes are of; None if nothing says it.

    Args:
        width, height: of the widgets; 0: as the picture has it.
        image: from `check_image`.

    Raises:
        UserError: one of the two is 0.
    """
    if (width == 0) != (height == 0):
        raise UserError(
            f"width is {width} and height is {height}: set both, or leave both 0 for the size of "
            "image."
        )
    if width:
        return height, width
    return None if image is None else tuple(image.shape[1:3])


def make_track(
    key_boxes: str, first_box: Any, last_box: Any, box_number: int, reading: BoxReading
) -> BoxTracks:
    """A track of the inputs of one node: typed boxes, or boxes of the host.

    Args:
        key_boxes: see `read_boxes`.
        first_box: in the first frame, or in every frame; None: not connected.
        last_box: in the last frame; None: not connected.
        box_number: of the object among the boxes of a picture, from 1 on; 0: all boxes of a
            picture, in their order, are the object's way.
        reading: with a number of frames.

    Raises:
        UserError: nothing is given, inputs exclude each other, or a box is not possible.
    """
    written = bool(key_boxes.strip())
    if first_box is None and last_box is None:
        if not written:
            raise UserError(
                "There are no boxes: write them in key_boxes, or connect boxes to first_box."
            )
        return read_boxes(key_boxes, reading, name="key_boxes")
    if written:
        raise UserError(
            "first_box and last_box take the place of key_boxes: empty key_boxes, or disconnect "
            "them."
        )
    if first_box is None:
        raise UserError("Only last_box is connected: connect first_box too, or first_box alone.")
    if reading.size is None:
        raise UserError(
            "The boxes are in pixels of a picture whose size is unknown: connect image, or set "
            "width and height to those of the canvas or picture that the boxes were made for."
        )
    track = _detected(first_box, last_box, box_number, reading)
    return BoxTracks((track,), track.num_frames)


def _detected(first_box: Any, last_box: Any, number: int, reading: BoxReading) -> BoxTrack:
    """The track of boxes of the host."""
    frames, ends, name = list_detections(first_box, name="first_box"), [], "first_box"
    if last_box is not None:
        if len(frames) > 1:
            raise UserError(
                f"first_box holds the boxes of {len(frames)} pictures, which is a whole track: "
                "disconnect last_box, or connect the boxes of one picture."
            )
        ends, name = list_detections(last_box, name="last_box"), "first_box and last_box"
        ends = [found for found in ends if found][-1:]
    if number == 0 and len(frames) == 1:
        return _moved(sum(frames + ends, []), reading, name)
    number = max(number, 1)
    _say_which(frames, number)
    picked = pick_object(frames, number, label=reading.label, name="first_box")
    if len(frames) == 1:
        if ends:
            picked += pick_object(ends, number, label=reading.label, name="last_box")
        return _moved(picked, reading, name)
    label = detected_label(picked, reading.label)
    track = detected_track(picked, reading.size, label=label, name=name)
    known = BoxTracks((track,), track.num_frames)
    spread = resample_boxes(known, reading.num_frames, timing=reading.timing, fill=reading.fill)
    return spread.tracks[0]


def _moved(boxes: list, reading: BoxReading, name: str) -> BoxTrack:
    """An object that moves from box to box, which are spread evenly over the video."""
    count = reading.num_frames
    at = np.linspace(0, count - 1, len(boxes)).round().astype(int).tolist()
    if len(boxes) > count:
        raise UserError(
            f"{name} has {len(boxes)} boxes, but the video {count} frames; expected at most a box "
            "for each frame: remove some, or set box_number to that of the object."
        )
    label = detected_label(boxes, reading.label)
    keys = detected_keys(boxes, at, reading.size, label=label, name=name)
    return interpolate_boxes(keys, count, timing=reading.timing, between=reading.fill)


def _say_which(frames: list[list], number: int) -> None:
    """Log which of several boxes of a picture is taken."""
    most = max(map(len, frames))
    if most > 1:
        way = " box_number 0 takes all of them, as the way of the object." * (len(frames) == 1)
        logging.info("first_box has %d boxes in a picture: box %d is taken.%s", most, number, way)


def read_ids(text: str) -> list[int] | None:
    """Numbers that are separated by commas or spaces; None for an empty text.

    Raises:
        UserError: a word is no whole number.
    """
    words = text.replace(",", " ").split()
    if not all(word.isdecimal() and len(word) < MOST_DIGITS for word in words):
        raise UserError(f"ids is {quote(text)}; expected whole numbers, for example 3, 7, 12.")
    return [int(word) for word in words] or None


def boxes_around(
    track: MotionTrack, kind: str, ids: Collection[int] | None, *, label: str, margin: float
) -> BoxTracks:
    """Boxes around what moves: around each person, or one around all chosen lines or paths.

    Args:
        kind: one of MOVING.
        ids: of the lines or paths, or the numbers of the people from 1 on; None: all.
        label: what it is, in words; for people it may be empty.
        margin: see `around_points`.

    Raises:
        UserError: nothing of this kind has one of the ids.
    """
    if kind == PEOPLE:
        return _around_people(track, ids, label=label.strip() or PERSON, margin=margin)
    lines = track.paths if kind == PATHS else track.lines
    known = [] if lines is None else lines.ids.tolist()
    chosen = [i for i, number in enumerate(known) if ids is None or number in ids]
    _check_found(chosen, kind, ids, known)
    found = _around_lines(lines, chosen, track.size, middles=kind == PATHS)
    box = around_points(*found, label=label, margin=margin)
    return BoxTracks((box,), box.num_frames)


def _around_people(
    track: MotionTrack, ids: Collection[int] | None, *, label: str, margin: float
) -> BoxTracks:
    known = range(1, 1 + (track.people.num_people if track.people is not None else 0))
    chosen = [number for number in known if ids is None or number in ids]
    _check_found(chosen, PEOPLE, ids, known)
    boxes = [around_person(track.people, i - 1, label=label, margin=margin) for i in chosen]
    return BoxTracks(tuple(boxes), boxes[0].num_frames)


def _around_lines(
    lines: LineTrack, chosen: list[int], size: tuple[int, int], *, middles: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Ends of lines, or the middles of paths' strokes: [T, K, 2] shares, and seen [T, K]."""
    pixels = torch.tensor(size[::-1], dtype=torch.float64)
    ends = lines.lines[:, chosen].cpu().double() / pixels
    seen = lines.seen[:, chosen].cpu()
    if middles:
        return ends.mean(dim=2).numpy(), seen.numpy()
    return ends.flatten(1, 2).numpy(), seen.repeat_interleave(2, dim=1).numpy()


def _check_found(chosen: list, kind: str, ids: Collection[int] | None, known: Collection) -> None:
    if not chosen:
        which = "" if ids is None else f" with one of the numbers {quote(sorted(ids))}"
        there = f" It has the numbers {quote(list(known))}." if ids is not None and known else ""
        raise UserError(
            f"motion has no {kind}{which}; expected at least one to draw a box around.{there}"
        )


def show_boxes(
    tracks: BoxTracks, image: Tensor | None, size: tuple[int, int] | None
) -> ui.SavedImages:
    """The part of a node's result that makes the editor play the boxes on the node.

    Args:
        image: from `check_image`: a picture for each frame, or one for all of them; None is black.
        size: (height, width) of the preview without a picture; None: a square.
    """
    at, count = shown_frames(tracks.num_frames), tracks.num_frames
    shown = [BoxTrack(x.label, x.boxes[at], x.present[at]) for x in tracks.tracks]
    drawn = draw_boxes(_behind(image, at, count, size), BoxTracks(tuple(shown), len(at)))
    return play(drawn, FPS * len(at) / count)


def _behind(
    image: Tensor | None, at: list[int], count: int, size: tuple[int, int] | None
) -> np.ndarray:
    """What is behind the boxes: [T, h, w, 3] or [1, h, w, 3] uint8, in the size of a preview."""
    if image is None:
        return np.zeros((1, *shown_size(size or NO_PICTURE), 3), np.uint8)
    pictures = image[at] if len(image) == count else image[:1]
    small = shown_size(image.shape[1:3])
    return np.stack([fit_frame(to_uint8(picture), small) for picture in pictures])
