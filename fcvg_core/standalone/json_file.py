"""JSON files from anywhere: whatever is in them, the answer is values or one sentence."""

import json
import math
from pathlib import Path
from typing import Any

from ..errors import UserError

MAX_BYTES = 256 * 2**20  # poses of an hour of video are smaller
LARGEST = 2**64  # seeds are below


def read_json(path: Path, *, expected: str) -> Any:
    """What a JSON file holds: UTF-8, with or without a byte-order mark, or UTF-16 with one.

    Args:
        expected: what the file should be, for the message: "run.json of an earlier run".

    Raises:
        UserError: the file is missing, no regular file, larger than 256 MiB, no JSON, nested too
            deep, or holds a number too large for a computer to count with.
    """
    if not path.exists():
        raise UserError(f"There is no file {path}.")
    if not path.is_file():  # a device or a pipe may never end
        raise UserError(f"{path} is a folder, a pipe or a device; expected {expected}.")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path} has more than {MAX_BYTES >> 20} MiB; expected {expected}.")
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} can't be read ({error.strerror}): it is {expected}.") from error
    try:
        return json.loads(content, parse_int=_whole, parse_float=_finite)
    except RecursionError as error:
        raise UserError(f"{path} is nested too deep; expected {expected}.") from error
    except ValueError as error:  # no JSON, no text, or a number too large
        raise UserError(f"{path} is no JSON ({error}); expected {expected}.") from error


def _whole(text: str) -> int:
    value = int(text) if len(text) <= len(str(-LARGEST)) else LARGEST
    if abs(value) >= LARGEST:
        raise ValueError(f"the number {text[:12]}... is too large")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text[:12]} is too large")
    return value
