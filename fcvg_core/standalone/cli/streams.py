"""Standard output and error that survive closed pipes, full disks and closed terminals."""

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Stream:
    """A text stream whose errors end no run, because a run's files matter more than its output.

    Attributes:
        lost: the error that lost a part of the output; None if nothing was lost.
    """

    def __init__(self, stream: TextIO, lost: OSError | None = None):
        self._stream, self.lost = stream, lost

    def __getattr__(self, name: str):
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """As for any text stream, but without errors of the system."""
        try:
            self._stream.write(text)
        except OSError as error:
            self.lost = self.lost or error
        return len(text)

    def flush(self) -> None:
        """As for any text stream, but without errors of the system."""
        try:
            self._stream.flush()
        except OSError as error:
            self.lost = self.lost or error

    def finish(self) -> None:
        """Write the rest. If this fails, keep Python from trying again when it ends."""
        self.flush()
        if self.lost:
            with contextlib.suppress(OSError, ValueError):  # a stream without a descriptor
                silence = os.open(os.devnull, os.O_WRONLY)
                os.dup2(silence, self._stream.fileno())
                os.close(silence)


@contextmanager
def enduring_streams() -> Iterator[Stream]:
    """Make sys.stdout and sys.stderr streams that never fail; yields sys.stdout.

    A stream that does not exist (a closed descriptor, pythonw) throws its text away.
    """
    _open_descriptors()
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = streams = [_enduring(stream) for stream in before]
    try:
        yield streams[0]
    finally:
        for stream in streams:
            stream.finish()
        sys.stdout, sys.stderr = before


def _enduring(stream: TextIO | None) -> Stream:
    if stream is None or stream.closed:
        nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (as long as the program)
        return Stream(nowhere, OSError(errno.EBADF, os.strerror(errno.EBADF)))
    if hasattr(stream, "reconfigure"):  # a file's name may hold characters that a terminal lacks
        stream.reconfigure(errors="backslashreplace")
    return Stream(stream)


def _open_descriptors() -> None:
    """Open the descriptors of standard streams that are closed.

    Otherwise the next file that is opened gets such a number, and a C library would print into
    this file.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
            os.set_inheritable(opened, True)
