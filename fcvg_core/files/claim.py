"""The folder of a run: made before any work, for one run alone, with room for what it will hold."""

import errno
import itertools
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import UserError
from ..failures import TOO_MUCH, check_room, explain_disk

MARKER = ".unfinished"  # is in a folder while its run is under way, and stays if that is killed
ATTEMPTS = 20  # another run may remove a folder between two steps


class Claim:
    """A folder that one run has for itself; see `claim_folder`.

    Attributes:
        path: of the folder.
    """

    def __init__(self, path: Path):
        self.path = path
        self._made = missing_folders(path.parent)
        self._held = False

    def reserve(self, size: float) -> None:
        """Keep room on the disk for files that are written later, until `release`.

        Args:
            size: in bytes.

        Raises:
            UserError: there is less.
        """
        remedy = "Make room there, or name a folder on another disk with -o."
        check_room(self.path, size, what="the files of this run may take", remedy=remedy)
        if not hasattr(os, "posix_fallocate"):  # Windows, macOS
            return
        try:
            with open(self.path / MARKER, "r+b") as opened:
                os.posix_fallocate(opened.fileno(), 0, max(int(size), 1))
        except OSError as error:
            if error.errno in TOO_MUCH:  # else this kind of disk keeps no room
                raise UserError(explain_disk(error, self.path)) from error

    def release(self, kept: float = 0) -> None:
        """Give the room to the files that are written now, but for `kept` bytes."""
        marker = self.path / MARKER
        os.truncate(marker, min(int(kept), marker.stat().st_size))

    def _take(self) -> None:
        """Raise UserError where no folder can be had."""
        wanted = self.path
        try:
            for number in itertools.count():
                if number:
                    self.path = wanted.with_name(f"{wanted.name}_{number:04d}")
                if self._try(self.path, may_exist=number == 0):
                    break
                if not wanted.name:
                    raise UserError(
                        f"{wanted} is the root of a disk, and not empty: name a "
                        "folder in it with -o."
                    )
        except OSError as error:
            raise UserError(
                f"The folder of the results can't be made. {explain_disk(error, self.path)}"
            ) from error
        if self.path != wanted:
            logging.info("%s exists already: the results go to %s.", wanted, self.path)

    def _try(self, folder: Path, *, may_exist: bool) -> bool:
        """Whether the folder is this run's from now on; its marker can be made only once."""
        for attempt in itertools.count(1):
            try:
                if _make(folder):
                    self._made.insert(0, folder)
                elif not may_exist or not folder.is_dir() or any(folder.iterdir()):
                    return False
                (folder / MARKER).open("x").close()
            except FileExistsError:
                return False
            except FileNotFoundError:  # removed by the run that had it
                if attempt == ATTEMPTS:
                    raise
            else:
                break
        self._held = True
        if all(path.name == MARKER for path in folder.iterdir()):
            return True
        self._held = False  # another run has ended just now
        (folder / MARKER).unlink()
        return False

    def _leave(self) -> None:
        """Remove the marker, and whatever folder is empty and was made by this run."""
        folders = []
        if self._held:
            (self.path / MARKER).unlink(missing_ok=True)
            folders = [path for path in self.path.iterdir() if path.is_dir()]
        remove_empty([*folders, *self._made])


@contextmanager
def claim_folder(wanted: Path) -> Iterator[Claim]:
    """A folder for a run: `wanted` if it is new or empty, else a new one of its name and a number.

    No other run gets the same one, not even one that begins at the same moment. When the block is
    left, by an error too, what was written stays; where nothing was, the folders that were made
    are removed.

    Raises:
        UserError: no folder can be made there.
    """
    claim = Claim(resolve_output(wanted))
    try:
        claim._take()
        yield claim
    finally:
        claim._leave()


@contextmanager
def made_folder(folder: Path) -> Iterator[None]:
    """Make a folder, for a command that adds files to one; removed again where none came.

    Raises:
        UserError: it can't be made.
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
    """The folder that is meant by ~ or by what ends in . or .., which a number can't follow.

    Raises:
        UserError: the path can't be one.
    """
    if "\0" in str(wanted):
        raise UserError(f"{str(wanted)!r} can't be the name of a folder: it holds a zero byte.")
    with suppress(RuntimeError):  # nobody's home: the name of a folder
        wanted = wanted.expanduser()
    try:
        return wanted if wanted.name not in ("", "..") else wanted.resolve()
    except OSError as error:
        raise UserError(
            f"The folder {wanted} can't be found ({error.strerror}): give -o a whole path."
        ) from error


def missing_folders(folder: Path) -> list[Path]:
    """What has to be made for a folder to be there: it and those above, the innermost first."""
    return [path for path in (folder, *folder.parents) if not os.path.exists(path)]


def remove_empty(folders: list[Path]) -> None:
    """Remove those folders in which nothing is."""
    for folder in folders:
        with suppress(OSError):  # there are files in it
            folder.rmdir()


def _make(folder: Path) -> bool:
    """Whether a folder was made, its parents before; False where there is something already."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:  # a file, or a link that leads nowhere
        raise NotADirectoryError(errno.ENOTDIR, "", str(folder)) from error
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True
