"""Frames in OpenPose's format, from files, editors and other programs -> people, and to a file."""

import json
import logging
from collections.abc import Sequence
from typing import Any

from ..canvas import in_words
from ..errors import UserError
from ..json_text import parse_json
from .openpose import canvas_size, from_openpose, is_stretched, list_frame_people
from .openpose_parts import PARTS
from .types import Poses

POSES_FILE = "poses in OpenPose's format"  # what a file should hold, for messages


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
            "%s: poses of a canvas of %s are stretched to %s pixels.",
            name,
            in_words(canvas),
            in_words(size),
        )
    return people


def complete_frames(
    value: Any, *, name: str, size: tuple[int, int] | None = None
) -> list[dict[str, Any]]:
    """Frames that programs can draw which expect every part of a person: absent parts are zeros.

    Everything else is kept, also what this project does not know.

    Args:
        value: see `list_frames`.
        name: where the frames come from, for messages.
        size: (height, width) in pixels of the canvas of frames that do not contain it.

    Raises:
        UserError: a frame is not in OpenPose's format.
    """
    frames = []
    for number, frame in enumerate(list_frames(value, name=name), 1):
        try:
            people, canvas = list_frame_people(frame), canvas_size(frame)
        except UserError as error:
            raise UserError(f"{name} does not hold poses (frame {number}): {error}") from error
        told = {} if canvas or not size else {"canvas_height": size[0], "canvas_width": size[1]}
        frames.append({**frame, "people": [*map(_complete, people)], **told})
    return frames


def frames_text(frames: Sequence[dict]) -> str:
    """Frames as the text of a JSON file: a single frame, or a list with a frame on each line."""
    lines = [json.dumps(frame, default=_as_list) for frame in frames]
    text = lines[0] if len(lines) == 1 else "[\n" + ",\n".join(lines) + "\n]"
    return text + "\n"


def _complete(person: dict) -> dict:
    """A person whose absent parts are lists of zeros, as OpenPose's own program writes them."""
    absent = {
        part.key: [0.0] * (3 * part.lengths[0])
        for part in PARTS
        if part.written and _is_absent(person.get(part.key))
    }
    return {**person, **absent}


def _is_absent(values: Any) -> bool:
    return values is None or (isinstance(values, (list, tuple)) and not values)


def _as_list(value: Any) -> Any:
    """Arrays and tensors, which other packs may hand over, as JSON writes them."""
    if not hasattr(value, "tolist"):
        raise UserError(f"The poses hold a {type(value).__name__}, which JSON can't hold.")
    return value.tolist()
