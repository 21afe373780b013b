"""Frames in OpenPose's format, from files, editors and other programs -> people."""

import logging
from typing import Any

from ..errors import UserError
from ..json_text import parse_json
from .openpose import canvas_size, from_openpose, is_stretched
from .types import Poses


def list_frames(value: Any, *, name: str) -> list:
    """A list of at least one frame, from a value of another program; frames are not checked.

    Args:
        value: a list of frames, a single frame, or JSON text of a list or of a single frame.
        name: where the value comes from, for messages.

    Raises:
        UserError: the list is empty, or the text is not JSON.
    """
    if isinstance(value, str):
        try:
            value = parse_json(value)
        except ValueError as error:
            raise UserError(f"{name} is text, but not JSON: {error}.") from error
    frames = list(value) if isinstance(value, (list, tuple)) else [value]
    if not frames:
        raise UserError(f"{name} is an empty list: expected the poses of at least one frame.")
    return frames


def first_canvas(frames: list) -> tuple[int, int] | None:
    """(height, width) in pixels of the first canvas that a frame names; None if no frame does.

    Raises:
        UserError: a frame is not in OpenPose's format.
    """
    return next(filter(None, map(canvas_size, frames)), None)


def read_people(frame: Any, *, size: tuple[int, int], name: str) -> Poses:
    """The people of one frame, placed on a picture; a warning says if that stretches them.

    Args:
        frame: a frame in OpenPose's format.
        size: (height, width) of the picture, in pixels. It is also the canvas of a frame that
            names no canvas.
        name: where the frame comes from, for messages.

    Raises:
        UserError: the frame is not in OpenPose's format.
    """
    people, canvas = from_openpose(frame, size=size, name=name), canvas_size(frame)
    if canvas and is_stretched(canvas, size):
        logging.warning(
            "%s: poses of a canvas of %d x %d are stretched to %d x %d pixels.",
            name,
            *canvas[::-1],
            *size[::-1],
        )
    return people
