"""Keeps two runs out of one folder: each would overwrite the other's log and checkpoints."""

import errno
import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import UserError
from ...files.writing import explained

LOCK = ".running"  # file that a run locks; it stays, and means nothing without a lock
TAKEN = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)


@contextmanager
def alone_in(run: Path) -> Iterator[None]:
    """A block in which no other process trains in a run's folder, which is made.

    The system frees the lock when the process ends, also after `kill -9`.

    Raises:
        UserError: another process trains there, or the folder can't be written to.
    """
    with explained(run):
        run.mkdir(parents=True, exist_ok=True)
        opened = os.open(run / LOCK, os.O_RDWR | os.O_CREAT)
    try:
        if not _lock(opened):
            raise UserError(
                f"Another process is training in {run}: wait until it ends, or choose another "
                "output folder."
            )
        yield
    finally:
        os.close(opened)


def _lock(opened: int) -> bool:
    """Whether no other process has locked the file; a disk without locks says so, too."""
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows
        import msvcrt

        lock = functools.partial(msvcrt.locking, opened, msvcrt.LK_NBLCK, 1)
    else:
        lock = functools.partial(fcntl.flock, opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        lock()
    except OSError as error:
        return error.errno not in TAKEN
    return True
