"""Keeps two runs out of one folder: each would overwrite the other's log and checkpoints."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import UserError
from ...files.locking import lock
from ...files.writing import explained

LOCK = ".running"  # file that a run locks; it stays, and means nothing without a lock


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
        try:
            lock(opened, wait=False)
        except BlockingIOError as error:
            raise UserError(
                f"Another process is training in {run}: wait until it ends, or choose another "
                "output folder."
            ) from error
        yield
    finally:
        os.close(opened)
