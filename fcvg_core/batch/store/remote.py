"""A store in a bucket, or in another place that fsspec knows.

A bucket has no rename. So the files of a result are written first, and its record last: a result is
done when its record is there. Equal names mean equal content: writing twice does no harm.
"""

import hashlib
import inspect
import os
import secrets
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Any

from ...files.claim import remove_empty
from ...quoting import shorten
from . import StoreError, layout
from .connecting import connect
from .records import file_sizes, parse_record, record_text

LINES = ".jsonl"  # ending of files of lines, which are many objects here
TRIES = 3  # to write an object that is not there


class RemoteStore:
    """A bucket or another place of fsspec; see `Store`. A result is made on this machine's disk.

    Args:
        address: a URL, for example "s3://bucket/folder".

    Attributes:
        shared: whether other processes see what is written.
        appends: whether `append` adds to a file, instead of writing another object.
    """

    appends = False

    def __init__(self, address: str):
        self.address = address.rstrip("/")
        self._fs, self._root = connect(self.address)
        protocols = {self._fs.protocol} if isinstance(self._fs.protocol, str) else self._fs.protocol
        self.shared = "memory" not in protocols
        self._conditional = _conditional(self._fs)
        mark = hashlib.sha256(self.address.encode()).hexdigest()[:8]
        self._workspaces = f"fcvg-{mark}-"
        self._parts: Counter[str] = Counter()  # objects of each file of lines

    @cached_property
    def exclusive(self) -> bool:
        """Whether the store writes an object only if it is not there: tried with an object."""
        if not self._conditional:
            return False
        name = f".probe-{secrets.token_hex(8)}"
        try:
            return self._create(name, b"1") and not self._create(name, b"2")
        finally:
            self.remove(name)

    @cached_property
    def _writer(self) -> str:
        """Name of this process in its objects of lines, which stand in the order of their time."""
        return f"{datetime.now(timezone.utc):%Y%m%dT%H%M%S}-{secrets.token_hex(6)}"

    def read(self, name: str) -> bytes | None:
        """Content of a small object, or of all that was appended; None if there is none."""
        if name.endswith(LINES):
            return b"".join(self.stream(name)) or None
        with self._reached(name):
            try:
                return self._fs.cat_file(self._path(name))
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                return None

    def stream(self, name: str) -> Iterator[bytes]:
        """Lines of all objects of a file of lines, in the order in which the objects were begun."""
        folder = name.removesuffix(LINES)
        for part in sorted(self.names(folder)):
            with self._reached(f"{folder}/{part}"):
                content = self._fs.cat_file(self._path(f"{folder}/{part}"))
            yield from content.splitlines(keepends=True)

    def write(self, name: str, content: bytes) -> None:
        """Write a small object; it may be there already."""
        with self._reached(name):
            self._fs.pipe_file(self._path(name), content)

    def create(self, name: str, content: bytes) -> bool:
        """Write a small object unless it is there; False if it is.

        Where the store is not `exclusive`, two writers at the same moment may both win.
        """
        if self.exclusive:
            return self._create(name, content)
        if self.read(name) is not None:
            return False
        self.write(name, content)
        return True

    def remove(self, name: str) -> None:
        """Remove a small object; nothing if it is not there."""
        with self._reached(name), suppress(FileNotFoundError):
            self._fs.rm_file(self._path(name))

    def names(self, folder: str) -> list[str]:
        """Names in a folder without those that begin with a dot; none if there is no folder."""
        path = self._path(folder)
        with self._reached(folder):
            try:
                found = self._fs.ls(path, detail=False)
            except (FileNotFoundError, NotADirectoryError):
                return []
        names = (one.rstrip("/").rsplit("/", 1)[-1] for one in found if one.rstrip("/") != path)
        return [name for name in names if not name.startswith(".")]

    def append(self, name: str, lines: bytes) -> None:
        """Write whole lines to another object of a file of lines.

        After an error the same lines are to be appended again, maybe with more behind them: the
        object gets the same name, because it may be there although the answer was lost.
        """
        number = self._parts[name] + 1
        self.write(f"{name.removesuffix(LINES)}/{self._writer}-{number:05d}{LINES}", lines)
        self._parts[name] = number

    def done(self) -> set[str]:
        """Names of all results that have a record."""
        return {name.removesuffix(".json") for name in self.names(layout.RECORDS)}

    def is_done(self, name: str) -> bool:
        """Whether a result has a record."""
        return self.read(_record(name)) is not None

    def record(self, name: str) -> dict[str, Any] | None:
        """The record of a result; None if it is not whole, or if its record was damaged."""
        return parse_record(self.read(_record(name)))

    def workspace(self, owner: str, name: str) -> Path:
        """A new empty folder of this machine in which a result is made."""
        return Path(tempfile.mkdtemp(prefix=f"{self._workspaces}{owner}.", suffix=f".{name[:40]}"))

    def publish(self, folder: Path, name: str, record: Mapping[str, Any]) -> bool:
        """Write the files of a folder, then the record; False if the record was there already.

        The folder is gone afterwards, also after an error.

        Raises:
            StoreError: the store can't be reached, or the folder is gone.
        """
        try:
            if self.is_done(name):
                return False
            try:
                sizes = file_sizes(folder)
            except FileNotFoundError as error:
                raise StoreError(
                    f"The folder in which {name} was made is gone: another driver does its task."
                ) from error
            paths = [self._path(f"{layout.RESULTS}/{name}/{path}") for path in sizes]
            with self._reached(f"{layout.RESULTS}/{name}"):
                self._fs.put([str(folder / path) for path in sizes], paths)
            content = record_text(record, sizes)
            # The answer of a bucket can be lost: then the record is our own.
            return self.create(_record(name), content) or self.read(_record(name)) == content
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            if folder.parent.name.startswith(self._workspaces):
                remove_empty([folder.parent])

    def where(self, name: str) -> str:
        """URL of a result."""
        return f"{self.address}/{layout.RESULTS}/{name}"

    def owners(self) -> list[str]:
        """Who has workspaces on this machine."""
        found = self._folders(self._workspaces)
        return sorted({name.removeprefix(self._workspaces).split(".")[0] for name in found})

    def clean(self, owner: str) -> None:
        """Remove all workspaces of an owner that has ended, from this machine.

        They are renamed first: a worker that still runs can't publish half a folder.
        """
        for name in self._folders(f"{self._workspaces}{owner}."):
            place = Path(tempfile.gettempdir())
            gone = place / f"{self._workspaces}.{secrets.token_hex(8)}"
            with suppress(OSError):  # of another user, or removed meanwhile
                os.rename(place / name, gone)
                shutil.rmtree(gone, ignore_errors=True)

    def _folders(self, beginning: str) -> list[str]:
        """Names of the folders for temporary files that begin in some way."""
        with suppress(OSError):
            return [x for x in os.listdir(tempfile.gettempdir()) if x.startswith(beginning)]
        return []

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}".rstrip("/")

    def _create(self, name: str, content: bytes) -> bool:
        """Write an object with the store's own condition; False if the object is there.

        S3 refuses both of two writers at the same moment (409); then one of them is asked to try
        again.
        """
        left = TRIES
        while True:
            try:
                with self._reached(name), _one_at_a_time(self):
                    self._fs.pipe_file(self._path(name), content, **self._conditional)
                return True
            except FileExistsError:
                return False
            except StoreError:  # each package has its own error for an object that is there
                left -= 1
                if self.read(name) is not None:
                    return False
                if not left:
                    raise

    @contextmanager
    def _reached(self, name: str) -> Iterator[None]:
        """Replace the errors of fsspec and of its packages with a message that names the URL.

        Raises:
            StoreError: replaces all errors but those of files that are missing or there already.
        """
        try:
            yield
        except (FileExistsError, StoreError):
            raise
        except Exception as error:
            said = shorten(f"{type(error).__name__}: {error}")
            raise StoreError(
                f"{self.address}/{name} can't be read or written ({said}). Check the address, the "
                "network and your credentials."
            ) from error


_LOCK = threading.Lock()


@contextmanager
def _one_at_a_time(store: RemoteStore) -> Iterator[None]:
    """Threads take turns in the memory of a process, which looks and writes in two steps."""
    if store.shared:
        yield
        return
    with _LOCK:
        yield


def _record(name: str) -> str:
    return f"{layout.RECORDS}/{name}.json"


def _conditional(fs: Any) -> dict[str, Any]:
    """Arguments with which a file system writes only what is not there; none if it can't.

    The methods of fsspec's base look first and write then, which tells no two writers apart.
    """
    from fsspec import AbstractFileSystem
    from fsspec.asyn import AsyncFileSystem

    if isinstance(fs, AsyncFileSystem):
        method, base = type(fs)._pipe_file, AsyncFileSystem._pipe_file
    else:
        method, base = type(fs).pipe_file, AbstractFileSystem.pipe_file
    names = inspect.signature(method).parameters if method is not base else ()
    if "mode" in names:
        return {"mode": "create"}
    return {"overwrite": False} if "overwrite" in names else {}
