"""Poses as a JSON file in OpenPose's format, from this program, another program or an editor."""

import json
import logging
from pathlib import Path

from ...errors import UserError
from ...files.json_file import read_json
from ...pose import Poses, canvas_size, from_openpose, is_stretched, to_openpose


def write_poses(path: Path, poses: Poses, size: tuple[int, int]) -> None:
    """Write the people of a frame; `size` is the frame's (height, width) in pixels."""
    path.write_text(json.dumps(to_openpose(poses, size)) + "\n", encoding="utf-8")


def read_poses(path: Path, *, size: tuple[int, int], frame: int = 0) -> Poses:
    """The people of one frame.

    Args:
        path: file with one frame in OpenPose's format, or with a list of frames.
        size: (height, width) in pixels of the frame for which the poses are used. It is also the
            canvas size if the file does not contain it. If the canvas has another aspect ratio,
            the poses are stretched, and this is logged.
        frame: index of the frame in a list.

    Raises:
        UserError: the file is missing, is not JSON, or has another format.
    """
    found = read_json(path, expected="poses in OpenPose's format")
    if found == []:
        raise UserError(f"{path} is an empty list; expected the poses of a frame.")
    found = found[frame] if isinstance(found, list) else found
    try:
        poses, canvas = from_openpose(found, size=size, name=str(path)), canvas_size(found)
    except UserError as error:
        raise UserError(f"{path} does not hold poses: {error}") from error
    if canvas and is_stretched(canvas, size):
        logging.warning(
            "%s is for frames of %d x %d pixels; its people are stretched to %d x %d.",
            path,
            *canvas[::-1],
            *size[::-1],
        )
    return poses
