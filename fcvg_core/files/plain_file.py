"""Checks that a path leads to a regular file; reading from a pipe or a device may never end."""

from pathlib import Path

from ..errors import UserError


def check_file(path: Path, *, expected: str = "a file") -> None:
    """Raise UserError unless a path (or the target of its link) is a regular file.

    Args:
        expected: what the file should be, for the message: "a picture".
    """
    if not path.exists():
        raise UserError(f"There is no file {path}.")
    if not path.is_file():
        raise UserError(f"{path} is a folder, a pipe or a device; expected {expected}.")
