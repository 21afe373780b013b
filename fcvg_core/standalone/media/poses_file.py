"""Poses as a JSON file in OpenPose's format, from this program, another program or an editor."""

from pathlib import Path

from ...errors import UserError
from ...files.json_file import read_json
from ...pose import POSES_FILE, Poses, frames_text, list_frames, read_people, to_openpose


def write_poses(path: Path, poses: Poses, size: tuple[int, int]) -> None:
    """Write the people of a frame; `size` is the frame's (height, width) in pixels."""
    path.write_text(frames_text([to_openpose(poses, size)]), encoding="utf-8")


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
    found = read_json(path, expected=POSES_FILE)
    chosen = list_frames(found, name=str(path))[frame]
    try:
        return read_people(chosen, size=size, name=str(path))
    except UserError as error:
        raise UserError(f"{path} does not hold poses: {error}") from error
