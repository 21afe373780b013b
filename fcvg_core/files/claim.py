"""The results folder of a run: made before any work, used by one run only, with reserved room."""

import errno
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count, takewhile
from pathlib import Path

from ..errors import UserError
from ..failures import TOO_MUCH, check_room, explain_disk

MARKER = ".unfinished"  # file in the folder of a running (or killed) run
ATTEMPTS = 20  # tries, because another run may remove a folder between two steps


class Claim:
    """A folder that only one run uses; see `claim_folder`.

    Attributes:
        path: the folder.
    """

    def __init__(self, path: Path):
        self.path = path
        self._made = missing_folders(path.parent)
        self._held = False

    def reserve(self, size: float) -> None:
        """Reserve room on the disk for files that are written later, until `release`.

        Args:
            size: in bytes.

        Raises:
            UserError: the disk has less room.
        """
        remedy = "Make room there, or choose a folder on another disk with -o."
        check_room(self.path, size, what="the files of this run may need", remedy=remedy)
        if not hasattr(os, "posix_fallocate"):  # Windows, macOS
            return
        try:
            with open(self.path / MARKER, "ab") as opened:
                os.posix_fallocate(opened.fileno(), 0, max(int(size), 1))
        except OSError as error:
            if error.errno in TOO_MUCH:  # other errors: this kind of disk can't reserve room
                raise UserError(explain_disk(error, self.path)) from error

    def release(self, kept: float = 0) -> None:
        """Free the reserved room for files that are written now; keep `kept` bytes reserved."""
        marker = self.path / MARKER
        with suppress(FileNotFoundError):  # nothing is reserved in an `own_folder`
            os.truncate(marker, min(int(kept), marker.stat().st_size))

    def _take(self) -> None:
        """Find and mark a folder for this run; raise UserError if no folder can be made."""
        wanted = self.path
        try:
            for number in count():
                if number:
                    self.path = wanted.with_name(f"{wanted.name}_{number:04d}")
                if self._try(self.path, may_exist=number == 0):
                    break
                if not wanted.name:
                    raise UserError(
                        f"{wanted} is the root of a disk, and it is not empty: choose a folder "
                        "inside it with -o."
                    )
        except OSError as error:
            raise UserError(
                f"The folder for the results can't be made. {explain_disk(error, self.path)}"
            ) from error
        if self.path != wanted:
            logging.info("%s already exists: the results go to %s.", wanted, self.path)

    def _try(self, folder: Path, *, may_exist: bool) -> bool:
        """Try to mark a folder for this run; False if another run or other files are in it.

        Only one run can create the marker.
        """
        for attempt in count(1):
            try:
                if _make(folder):
                    self._made.insert(0, folder)
                elif not may_exist or not folder.is_dir() or any(folder.iterdir()):
                    return False
                (folder / MARKER).open("x").close()
            except FileExistsError:
                return False
            except FileNotFoundError:  # the run that used the folder has just removed it
                if attempt == ATTEMPTS:
                    raise
            else:
                break
        self._held = True
        if all(path.name == MARKER for path in folder.iterdir()):
            return True
        self._held = False  # another run has just ended and left its files
        (folder / MARKER).unlink()
        return False

    def _leave(self) -> None:
        """Remove the marker, and all empty folders that this run has made."""
        folders = []
        if self._held:
            (self.path / MARKER).unlink(missing_ok=True)
            with suppress(FileNotFoundError):  # another run has used and removed the folder
                folders = [path for path in self.path.iterdir() if path.is_dir()]
        remove_empty([*folders, *self._made])


@contextmanager
def claim_folder(wanted: Path) -> Iterator[Claim]:
    """A folder for a run: `wanted` if it is new or empty, otherwise a new folder `wanted`_0001, ...

    No other run gets the same folder, even if it starts at the same moment. At the end of the
    block, also after an error, written files stay. If no file was written, the folders that were
    made are removed.

    Raises:
        UserError: the folder can't be made.
    """
    claim = Claim(resolve_output(wanted))
    try:
        claim._take()
        yield claim
    finally:
        claim._leave()


@contextmanager
def own_folder(folder: Path) -> Iterator[Claim]:
    """An empty folder whose name no other run knows, for a run; written files stay."""
    claim = Claim(folder)
    claim._held = True
    try:
        yield claim
    finally:
        claim._leave()


@contextmanager
def made_folder(folder: Path) -> Iterator[None]:
    """Make a folder to which a command adds files; it is removed again if it stays empty.

    Raises:
        UserError: the folder can't be made.
    """
    missing = missing_folders(folder)
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(explain_disk(error, folder)) from error
        yield
    finally:
        remove_empty(missing)


def resolve_output(wanted: Path) -> Path:
    """The path without ~, and without . or .. at its end, so that a number can be appended.

    Raises:
        UserError: the path is not valid.
    """
    if "\0" in str(wanted):
        raise UserError(f"{str(wanted)!r} can't be the name of a folder: it holds a zero byte.")
    with suppress(RuntimeError):  # no user has this name, so it is the name of a folder
        wanted = wanted.expanduser()
    try:
        return wanted if wanted.name not in ("", "..") else wanted.resolve()
    except OSError as error:
        raise UserError(
            f"The folder {wanted} can't be found ({error.strerror}): give -o an absolute path."
        ) from error


def missing_folders(folder: Path) -> list[Path]:
    """Folders that must be made for `folder` to exist, itself included, the innermost first."""
    return list(takewhile(lambda path: not os.path.exists(path), (folder, *folder.parents)))


def remove_empty(folders: list[Path]) -> None:
    """Remove the folders that are empty."""
    for folder in folders:
        with suppress(OSError):  # the folder is not empty
            folder.rmdir()


def _make(folder: Path) -> bool:
    """Make a folder and its parents; False if the path already exists."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        if any(map(_is_no_folder, folder.parents)):
            raise NotADirectoryError(errno.ENOTDIR, "", str(folder)) from error
        # Another run has removed the parent since it was found.
        raise FileNotFoundError(errno.ENOENT, "", str(folder)) from error
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True


def _is_no_folder(path: Path) -> bool:
    """Whether a file, or a link that leads nowhere, is at this path."""
    try:
        return not stat.S_ISDIR(path.stat().st_mode)
    except OSError:
        return path.is_symlink()
