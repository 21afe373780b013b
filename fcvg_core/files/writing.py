"""Writes files so that a half-written file never appears under its name; explains errors."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import UserError
from ..failures import TOO_MUCH, explain_disk

PART = ".part"  # ending of files that are being written


def part_of(path: Path) -> Path:
    """A new name for a temporary file beside `path`, of the same length for every name."""
    return path.with_name(f".{secrets.token_hex(8)}{PART}")


@contextmanager
def write_aside(path: Path) -> Iterator[Path]:
    """A temporary file beside `path`; at the end of the block it is renamed to `path`.

    So the name `path` never shows a half-written file: not to a reader, not after an error, not
    after `kill -9`.

    Raises:
        UserError: the disk is full, or the file can't be written for another reason.
    """
    part = part_of(path)
    with explained(path):
        try:
            yield part
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def save_text(path: Path, text: str) -> None:
    """Write a text as UTF-8 with `write_aside`; raises as it does."""
    with write_aside(path) as part:
        part.write_text(text, encoding="utf-8")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Replace errors of the system with a message that names the file and the remedy.

    Raises:
        UserError: replaces every OSError, and FFmpeg's errors on a full disk.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) or getattr(error, "errno", None) in TOO_MUCH:
            raise UserError(explain_disk(error, path)) from error
        raise
