"""Marks and digests of the content of files: two files with the same one hold the same."""

import hashlib
import os
from pathlib import Path
from typing import Any

WHOLE = 64 * 2**20  # of larger files, which are models, only the ends are read: whole takes minutes
END = 2**20  # bytes at the beginning and at the end of a larger file
BLOCK = 2**20  # bytes that are read at once


def read_mark(path: Path) -> str:
    """SHA-256 of a file; of a large file that of its size, beginning and end."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size <= WHOLE:
            left = size  # some system files never end
            while left and (block := file.read(min(BLOCK, left))):
                found.update(block)
                left -= len(block)
        else:
            found.update(f"{size}\n".encode())
            found.update(file.read(END))
            file.seek(-END, os.SEEK_END)
            found.update(file.read(END))
    return found.hexdigest()


def digest_whole(path: Path, begun: Any) -> str:
    """Hexadecimal digest of a whole file, which may take minutes.

    Args:
        begun: a hash of `hashlib`; what it has got already comes before the file.
    """
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            begun.update(block)
    return begun.hexdigest()
