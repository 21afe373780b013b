"""Files that are there whole or not at all, and what to say where the system refuses them."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import UserError
from ..failures import TOO_MUCH, explain_disk


@contextmanager
def write_aside(path: Path) -> Iterator[Path]:
    """A file beside `path` to write; it becomes `path`, or replaces it, when the block is left.

    So nobody ever sees half a file under that name: not a reader, not after an error, not after a
    `kill -9`.

    Raises:
        UserError: the disk is full, or the file can't be written for another reason.
    """
    part = path.with_name(f".{secrets.token_hex(8)}.part")  # as long for every name
    with explained(path):
        try:
            yield part
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Say of what the system refuses to write which file it is, and the remedy.

    Raises:
        UserError: instead of every OSError, and of the errors of FFmpeg on a full disk.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) or getattr(error, "errno", None) in TOO_MUCH:
            raise UserError(explain_disk(error, path)) from error
        raise
