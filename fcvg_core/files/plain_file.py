"""Regular files alone are read, and no endless ones: a pipe or a device may never end."""

from pathlib import Path

from ..errors import UserError

# Enough for a million lines of text, or for poses of thousands of frames.
MAX_BYTES = 64 * 2**20


def check_file(path: Path, *, expected: str = "a file") -> None:
    """Raise UserError unless a path (or the target of its link) is a regular file.

    Args:
        expected: what the file should be, for the message: "a picture".
    """
    if not path.exists():
        raise UserError(f"There is no file {path}.")
    if not path.is_file():
        raise UserError(f"{path} is a folder, a pipe or a device; expected {expected}.")


def read_bytes(path: Path, *, expected: str, most: int = MAX_BYTES) -> bytes:
    """The content of a file that a user names.

    Args:
        expected: what the file should be, for messages: "a file of boxes".
        most: bytes of the largest file that is read.

    Raises:
        UserError: the file is missing, not a regular file, empty, or larger, or can't be read.
    """
    try:
        check_file(path, expected=expected)
        size = path.stat().st_size
        if size > most:
            raise UserError(f"{path} has more than {most >> 20} MiB; expected {expected}.")
        if size == 0:  # some system files have size 0 but never end
            raise UserError(f"{path} is empty; expected {expected}.")
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} can't be read ({error.strerror}); expected {expected}.") from error
