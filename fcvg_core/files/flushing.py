"""Waits until files and the names of files are on the disk, so that they outlive a power cut."""

import errno
import os
from pathlib import Path

_BINARY = getattr(os, "O_BINARY", 0)  # Windows


def flush_file(path: Path) -> None:
    """Wait until a file is on the disk."""
    # Windows flushes only what is open for writing; elsewhere a file may be read-only.
    opened = os.open(path, os.O_RDWR | _BINARY if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def flush_folder(path: Path | str) -> None:
    """Wait until the names in a folder are on the disk, where the system can do so."""
    try:
        opened = os.open(path, os.O_RDONLY)
    except PermissionError:  # Windows opens no folder
        return
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network disks
            raise
    finally:
        os.close(opened)
