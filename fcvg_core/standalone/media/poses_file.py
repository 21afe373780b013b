"""Poses as a JSON file in OpenPose's form, from this program, another one or an editor."""

import json
from pathlib import Path

from ...errors import UserError
from ...files.json_file import read_json
from ...pose import Poses, list_frames, read_people, to_openpose


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
    chosen = list_frames(found, name=str(path))[frame]
    try:
        return read_people(chosen, size=size, name=str(path))
    except UserError as error:
        raise UserError(f"{path} holds no poses: {error}") from error
