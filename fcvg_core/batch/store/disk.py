"""Where systems differ: appending, hard links, and files that another process has open."""

import errno
import functools
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ...errors import UserError
from ...files.locking import lock

NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
NO_LINKS |= {errno.EINVAL}  # what Python makes of Windows' own numbers
TRIES = 50 if os.name == "nt" else 1
PAUSE = 0.02  # seconds between two tries
_BINARY = getattr(os, "O_BINARY", 0)  # Windows

T = TypeVar("T")


def patient(method: Callable[..., T]) -> Callable[..., T]:
    """The method, tried again for a second: Windows alone refuses what another process has open."""

    @functools.wraps(method)
    def tried(*given: Any, **named: Any) -> T:
        for _ in range(TRIES - 1):
            try:
                return method(*given, **named)
            except UserError as error:
                if not isinstance(error.__cause__, PermissionError):
                    raise
            time.sleep(PAUSE)
        return method(*given, **named)

    return tried


def append_lines(path: Path, lines: bytes) -> None:
    """Append whole lines to a file, on a line of their own after a torn one.

    Raises:
        OSError: the disk is full, or can't be written. Where it has locks, no part of a line stays.
    """
    opened = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | _BINARY, 0o666)
    try:
        # Two processes that append on Windows overwrite each other's lines.
        locked = lock(opened, wait=True)
        size = os.fstat(opened).st_size
        if size and _last_byte(opened, size) != b"\n":
            lines = b"\n" + lines
        try:
            while lines:  # a disk that gets full takes a part, and says then that it is full
                lines = lines[os.write(opened, lines) :]
        except OSError:
            if locked:  # nobody else has written since
                os.ftruncate(opened, size)
            raise
    finally:
        os.close(opened)


def link(part: Path, path: Path, content: bytes) -> None:
    """Give a file its name; FileExistsError if the name is taken."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        with path.open("xb") as opened:  # a disk without hard links
            opened.write(content)


def _last_byte(opened: int, size: int) -> bytes:
    os.lseek(opened, size - 1, os.SEEK_SET)  # Windows has no os.pread; O_APPEND writes at the end
    return os.read(opened, 1)
