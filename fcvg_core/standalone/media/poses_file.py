"""Poses as a JSON file in OpenPose's form, from this program, another one or an editor."""

import json
import logging
from pathlib import Path

from ...errors import UserError
from ...files.json_file import read_json
from ...pose import Poses, canvas_size, from_openpose, is_stretched, to_openpose


def write_poses(path: Path, poses: Poses, size: tuple[int, int]) -> None:
    """Write the people of a frame; size is its (height, width) in pixels."""
    path.write_text(json.dumps(to_openpose(poses, size)) + "\n", encoding="utf-8")


def read_poses(path: Path, *, size: tuple[int, int], frame: int = 0) -> Poses:
    """The people of one frame.

    Args:
        path: one frame in OpenPose's form, or a list of them.
        size: (height, width) of the frame that they are used for, and of the canvas where the
            file does not tell it. A canvas of another shape is stretched, which is logged.
        frame: which one of a list.

    Raises:
        UserError: the file is missing, no JSON or of another form.
    """
    found = read_json(path, expected="poses in OpenPose's form")
    if found == []:
        raise UserError(f"{path} is an empty list: expected the poses of a frame.")
    found = found[frame] if isinstance(found, list) else found
    try:
        poses, canvas = from_openpose(found, size=size, name=str(path)), canvas_size(found)
    except UserError as error:
        raise UserError(f"{path} holds no poses: {error}") from error
    if canvas and is_stretched(canvas, size):
        logging.warning(
            "%s is for frames of %d x %d pixels; its people are stretched to %d x %d.",
            path,
            *canvas[::-1],
            *size[::-1],
        )
    return poses
