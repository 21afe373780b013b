"""JSON files from anywhere: whatever is in them, the answer is values or one sentence."""

from pathlib import Path
from typing import Any

from ..errors import UserError
from ..json_text import parse_json
from .plain_file import check_file

MAX_BYTES = 64 * 2**20  # a million lines, or poses of thousands of frames; values need far more


def read_json(path: Path, *, expected: str) -> Any:
    """What a JSON file holds: UTF-8, with or without a byte-order mark, or UTF-16 with one.

    Args:
        expected: what the file should be, for the message: "run.json of an earlier run".

    Raises:
        UserError: the file is missing, no regular file, empty, larger than 64 MiB, no JSON,
            nested too deep, gives one name twice, or holds a number too large to count with.
    """
    try:
        check_file(path, expected=expected)
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path} has more than {MAX_BYTES >> 20} MiB; expected {expected}.")
        if path.stat().st_size == 0:  # some of the system's files are, and never end
            raise UserError(f"{path} is empty; expected {expected}.")
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} can't be read ({error.strerror}): it is {expected}.") from error
    try:
        return parse_json(content)
    except ValueError as error:
        raise UserError(f"{path} is no JSON ({error}); expected {expected}.") from error
