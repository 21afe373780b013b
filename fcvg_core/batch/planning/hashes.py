"""Marks of the content of files, kept between runs so that unchanged files are not read again."""

import hashlib
import json
import os
import stat
import struct
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ...errors import UserError
from ...failures import explain_disk
from ...files.marks import WHOLE, read_mark
from ..store import StoreError
from ..store.layout import HASHES
from ..store.records import parse_record
from ..store.urls import is_url, mark_of, store_of
from ..types import Store

THREADS = 4  # that read files
ASKING = 32  # threads that ask stores, which answer after a while
SETTLED = 2.0  # seconds: a younger file may be changed again within the same tick of its clock
STATE = struct.Struct("<QqqQ")  # size, time of content, time of state, inode
MARK_BYTES = 32


class Hashes:
    """Marks of files and folders; those of files are kept in the store.

    Threads may share it.
    """

    def __init__(self, store: Store | None, *, dry: bool = False):
        """Read what is kept.

        Args:
            store: that has the file; None: nothing is kept.
            dry: nothing is written, and a store that does not answer is an error of its files.
        """
        self._store = store
        self._dry = dry
        self._silent: dict[str, StoreError] = {}  # of each store that does not answer
        self._known = {} if store is None else _read(store.read(HASHES) or b"")
        self._folders: dict[Path, str] = {}
        self._new: list[bytes] = []
        self._lock = threading.Lock()

    def marks(self, places: Iterable[str | Path]) -> list[str | UserError]:
        """The mark of each file, folder or URL, or why it has none; several are read at once.

        Raises:
            StoreError: a store does not answer, and this is no dry run.
        """
        places = list(places)
        remote = any(isinstance(place, str) for place in places)
        with ThreadPoolExecutor(ASKING if remote else THREADS) as pool:
            return list(pool.map(self._try, places))

    def mark(self, place: str | Path) -> str:
        """A mark of the content of a file, folder or URL, in hexadecimal digits.

        That of a file of up to 64 MiB is its SHA-256.

        Raises:
            UserError: there is no such file, it is no regular file, or it can't be read.
            StoreError: a store does not answer.
        """
        if isinstance(place, str) and is_url(place):
            return mark_of(place)
        path = Path(place)
        try:
            now = path.stat()
            if stat.S_ISDIR(now.st_mode):
                return self._mark_folder(path)
            if not stat.S_ISREG(now.st_mode):
                raise UserError(f"{path} is a pipe or a device; expected a file or a folder.")
            return self._mark_file(path, now)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise UserError(f"There is no file {path}.") from error
        except OSError as error:
            raise UserError(explain_disk(error, path)) from error

    def save(self) -> None:
        """Append the new marks to the file of the store."""
        with self._lock:
            lines, self._new = self._new, []
        if lines and self._store is not None and not self._dry:
            self._store.append(HASHES, b"".join(lines))

    def _try(self, place: str | Path) -> str | UserError:
        root = store_of(place)
        if root in self._silent:  # asking it for each file would take hours
            return self._silent[root]
        try:
            return self.mark(place)
        except StoreError as error:  # no fault of this file
            if not self._dry:
                raise
            return self._silent.setdefault(root, error)
        except UserError as error:
            return error

    def _mark_folder(self, folder: Path) -> str:
        """The mark of a folder: of its files' names and marks; made once, not for each row."""
        if folder not in self._folders:
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            lines = [f"{path.relative_to(folder).as_posix()}\n{self.mark(path)}" for path in files]
            text = "\n".join(lines).encode(errors="surrogateescape")
            self._folders[folder] = hashlib.sha256(text).hexdigest()
        return self._folders[folder]

    def _mark_file(self, path: Path, now: os.stat_result) -> str:
        key, state = _key(path), _state(now)
        known = self._known.get(key)
        if known is not None and known[: STATE.size] == state:
            return known[STATE.size :].hex()
        mark, later = read_mark(path), path.stat()
        if later.st_mtime < time.time() - SETTLED and _state(later) == state:
            line = {"path": key.hex(), "state": state.hex(), "mark": mark}
            text = json.dumps(line, separators=(",", ":")).encode() + b"\n"
            with self._lock:
                self._known[key] = state + bytes.fromhex(mark)
                self._new.append(text)
        return mark


def check_unchanged(marks: Mapping[str, str], paths: Mapping[str, Path]) -> None:
    """Look whether files are still what they were when their task was planned.

    Folders are not read again, and neither are large files, which are models.

    Args:
        marks: of the files, by the names of their options.
        paths: by the names of their options; some may have no mark.

    Raises:
        UserError: a file has changed or is gone, so the result does not belong to the key.
    """
    for name, path in paths.items():
        if name not in marks or path.is_dir():
            continue
        try:
            same = path.stat().st_size > WHOLE or read_mark(path) == marks[name]
        except OSError:
            same = False
        if not same:
            raise UserError(
                f"{path} has changed since the batch began: start the same command again."
            )


def _key(path: Path) -> bytes:
    """What stands for a path: paths are long, and there may be millions."""
    return hashlib.blake2b(os.fsencode(path.absolute()), digest_size=16).digest()


def _state(now: os.stat_result) -> bytes:
    """What changes when a file is written or replaced."""
    inode = now.st_ino & (2**64 - 1)
    return STATE.pack(now.st_size, now.st_mtime_ns, now.st_ctime_ns, inode)


def _read(content: bytes) -> dict[bytes, bytes]:
    """Path -> state and mark, of the lines that are whole."""
    known = {}
    for line in content.splitlines():
        try:
            entry = parse_record(line) or {}
            key, state, mark = (bytes.fromhex(entry[name]) for name in ("path", "state", "mark"))
        except (ValueError, KeyError, TypeError):  # a line that a killed driver has torn
            continue
        if len(state) == STATE.size and len(mark) == MARK_BYTES:
            known[key] = state + mark
    return known
