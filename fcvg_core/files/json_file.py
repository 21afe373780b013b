"""Reading of untrusted JSON files: every file gives either values or a UserError."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..json_text import parse_json
from .plain_file import MAX_BYTES, read_bytes


def read_json(
    path: Path, *, expected: str, most: int = MAX_BYTES, without: Collection[str] = ()
) -> Any:
    """The values of a JSON file; see `parse_json` for possible encodings.

    Args:
        expected: what the file should be, for the message: "run.json of an earlier run".
        most: bytes of the largest file that is read.
        without: see `parse_json`.

    Raises:
        UserError: see `read_bytes`; or `parse_json` can't read it.
    """
    content = read_bytes(path, expected=expected, most=most)
    try:
        return parse_json(content, without=without)
    except ValueError as error:
        raise UserError(f"{path} is not JSON ({error}); expected {expected}.") from error
