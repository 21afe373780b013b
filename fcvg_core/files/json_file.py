"""Reading of untrusted JSON files: every file gives either values or a UserError."""

from pathlib import Path
from typing import Any

from ..errors import UserError
from ..json_text import parse_json
from .plain_file import check_file

# Enough for a million lines, or for poses of thousands of frames.
MAX_BYTES = 64 * 2**20


def read_json(path: Path, *, expected: str) -> Any:
    """The values of a JSON file; see `parse_json` for possible encodings.

    Args:
        expected: what the file should be, for the message: "run.json of an earlier run".

    Raises:
        UserError: the file is missing, not a regular file, empty, or larger than 64 MiB; or
            `parse_json` can't read it.
    """
    try:
        check_file(path, expected=expected)
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path} has more than {MAX_BYTES >> 20} MiB; expected {expected}.")
        if path.stat().st_size == 0:  # some system files have size 0 but never end
            raise UserError(f"{path} is empty; expected {expected}.")
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} can't be read ({error.strerror}); expected {expected}.") from error
    try:
        return parse_json(content)
    except ValueError as error:
        raise UserError(f"{path} is not JSON ({error}); expected {expected}.") from error
