"""A store in a folder: of this machine, or of a disk that several machines share."""

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...errors import UserError
from ...failures import explain_disk
from ...files.claim import remove_empty
from ...files.flushing import flush_file, flush_folder
from ...files.writing import PART, explained, part_of, write_aside
from . import StoreError, layout
from .disk import append_lines, link, patient
from .records import file_sizes, parse_record, record_text

GONE = ".gone-"  # workspaces that are being removed
ABANDONED = 3600.0  # seconds after which a small file that is half written counts as left behind


class LocalStore:
    """A folder; see `Store`. A result is made on the same disk, and appears by one rename.

    Attributes:
        folder: absolute path of OUT, which need not exist yet.
        address: the same, so that it is right in other processes too.
        shared: whether other processes see what is written.
        appends: whether `append` adds to a file, instead of writing another one.
    """

    exclusive = True
    shared = True
    appends = True

    def __init__(self, folder: Path):
        self.folder = folder.absolute()
        self.address = str(self.folder)

    @patient
    def read(self, name: str) -> bytes | None:
        """Content of a small file; None if there is none."""
        path = self.folder / name
        with explained(path):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                return None

    def stream(self, name: str) -> Iterator[bytes]:
        """Lines of a file, one after the other; none if there is no file."""
        path = self.folder / name
        with explained(path):
            try:
                opened = path.open("rb")
            except FileNotFoundError:
                return
            with opened:
                yield from opened

    @patient
    def write(self, name: str, content: bytes) -> None:
        """Write a small file, whole or not at all; it may be there already.

        Its content is on the disk before its name is, so that it is whole if the power fails too.
        """
        path = self._made(name)
        with write_aside(path) as part:
            part.write_bytes(content)
            flush_file(part)

    @patient
    def create(self, name: str, content: bytes) -> bool:
        """Write a small file unless it is there; False if it is. It is empty if the power fails."""
        path = self._made(name)
        part = part_of(path)
        with explained(path):
            try:
                part.write_bytes(content)
                link(part, path, content)
            except FileExistsError:
                return False
            finally:
                part.unlink(missing_ok=True)
        return True

    @patient
    def remove(self, name: str) -> None:
        """Remove a small file; nothing if it is not there."""
        path = self.folder / name
        with explained(path):
            path.unlink(missing_ok=True)

    def names(self, folder: str) -> list[str]:
        """Names in a folder without those that begin with a dot; none if there is no folder."""
        path = self.folder / folder
        with explained(path):
            try:
                return [name for name in os.listdir(path) if not name.startswith(".")]
            except FileNotFoundError:
                return []

    def append(self, name: str, lines: bytes) -> None:
        """Append whole lines to a file; other processes may do so at the same time.

        If a process was killed within a line, the next line begins on a line of its own.
        """
        path = self._made(name)
        with explained(path):
            append_lines(path, lines)

    def done(self) -> set[str]:
        """Names of all results that are whole."""
        return set(self.names(layout.RESULTS))

    def is_done(self, name: str) -> bool:
        """Whether a result is whole."""
        return os.path.isdir(self.folder / layout.RESULTS / name)

    def record(self, name: str) -> dict[str, Any] | None:
        """The record of a result; None if it is not whole, or if its record was damaged."""
        return parse_record(self.read(f"{layout.RESULTS}/{name}/{layout.RECORD}"))

    def workspace(self, owner: str, name: str) -> Path:
        """A new empty folder in which a result is made, on the disk of the results."""
        folder = self.folder / layout.PARTIAL / owner / f"{name}.{secrets.token_hex(4)}"
        with explained(folder):
            folder.mkdir(parents=True)
        return folder

    @patient
    def publish(self, folder: Path, name: str, record: Mapping[str, Any]) -> bool:
        """Make a folder a result, with its record; False if the result was there already.

        The folder is gone afterwards. Everything in it is on the disk before the result appears, so
        that a result is whole even if the power fails.

        Args:
            folder: a workspace, or a folder in it.
            record: written as record.json, with the sizes of all files.

        Raises:
            StoreError: the workspace was removed, because another driver took over.
            UserError: the disk is full, or can't be written.
        """
        target = self.folder / layout.RESULTS / name
        with explained(target):
            try:
                published = self._rename(folder, target, record)
            except FileNotFoundError as error:
                raise StoreError(
                    f"The folder in which {name} was made is gone: another driver does its task."
                ) from error
        if not published:
            shutil.rmtree(folder, ignore_errors=True)
        if folder.parent.parent.parent == self.folder / layout.PARTIAL:
            remove_empty([folder.parent])
        return published

    def where(self, name: str) -> str:
        """Path of a result."""
        return str(self.folder / layout.RESULTS / name)

    def owners(self) -> list[str]:
        """Who has workspaces."""
        return self.names(layout.PARTIAL)

    def clean(self, owner: str) -> None:
        """Remove all workspaces of an owner that has ended.

        They are renamed first: a worker that still runs can't publish half a folder. Small files
        that any driver has left half written go too, after an hour.
        """
        partial = self.folder / layout.PARTIAL
        with suppress(OSError):  # removed by another driver, or a file is open (Windows)
            os.rename(partial / owner, partial / f"{GONE}{secrets.token_hex(8)}")
        with suppress(OSError):
            for folder in partial.glob(f"{GONE}*"):
                shutil.rmtree(folder, ignore_errors=True)
        remove_empty([partial])
        self._sweep()

    def _sweep(self) -> None:
        """Remove the small files that killed processes have left half written."""
        for folder in ("", layout.CLAIMS, layout.DRIVERS, layout.FAILED):
            for path in (self.folder / folder).glob(f".*{PART}"):
                with suppress(OSError):  # removed by another driver
                    # By the disk's own clock, which has noted the last beat of a driver there.
                    now = os.stat(self.folder / layout.DRIVERS).st_mtime
                    if now - path.stat().st_mtime > ABANDONED:
                        path.unlink()

    def _rename(self, folder: Path, target: Path, record: Mapping[str, Any]) -> bool:
        """Write the record, bring everything to the disk and rename; False if another was first."""
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            return False
        sizes = file_sizes(folder)
        (folder / layout.RECORD).write_bytes(record_text(record, sizes))
        for path in [*sizes, layout.RECORD]:
            flush_file(folder / path)
        for path, _, _ in os.walk(folder):
            flush_folder(path)
        try:
            os.rename(folder, target)
        except OSError:
            if target.is_dir():  # a folder that is not empty is never replaced
                return False
            raise
        flush_folder(target.parent)
        return True

    def _made(self, name: str) -> Path:
        """Path of a file whose folder exists."""
        path = self.folder / name
        if not path.parent.is_dir():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UserError(explain_disk(error, path.parent)) from error
        return path
