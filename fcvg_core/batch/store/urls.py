"""Files and folders that lie in an object store or on another machine, by their URLs."""

import hashlib
import posixpath
import re
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...errors import UserError
from . import StoreError
from .connecting import connect

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://\S")
# What stores say of the content of a file, the best first; then its size and time.
MARKS = ("ETag", "etag", "md5Hash", "contentHash", "checksum", "crc32c")
TIMES = ("mtime", "LastModified", "last_modified", "updated", "created")


def is_url(text: str) -> bool:
    """Whether a text is a URL and no path."""
    return URL.match(text) is not None


def store_of(place: str | Path) -> str:
    """The beginning of a URL that is the same for all files of a store; empty for a path."""
    return "/".join(place.split("/", 3)[:3]) if isinstance(place, str) else ""


def join_url(folder: str, path: str) -> str:
    """The URL of a path that begins at the URL of a folder; `..` leads out of the folder."""
    scheme, _, rest = folder.partition("://")
    return f"{scheme}://{posixpath.normpath(posixpath.join(rest, path))}"


def mark_of(url: str) -> str:
    """A mark of the content of a file or folder: another content has another mark.

    Raises:
        UserError: there is no such file, or it may not be read.
        StoreError: the store does not answer, or a package for it is not installed.
    """
    with _explained(url):
        files, path = connect(url)
        info = files.info(path)
        if info.get("type") != "directory":
            return _mark(info)
        inside = sorted(files.find(path, detail=True).items())
        marks = [f"{name.removeprefix(path)}\n{_mark(info)}\n" for name, info in inside]
    return hashlib.sha256("".join(marks).encode()).hexdigest()


def _mark(info: Mapping[str, Any]) -> str:
    """A mark of what a store says of a file."""
    size = info.get("size")
    said = [str(info[key]) for key in MARKS if info.get(key)][:1]
    said = said or [str(info[key]) for key in TIMES if info.get(key)][:1]
    return hashlib.sha256(f"{size} {said}".encode()).hexdigest()


def is_folder_url(url: str) -> bool:
    """Whether a URL is that of a folder; raises as `mark_of` does."""
    with _explained(url):
        files, path = connect(url)
        return _is_folder(files, path)


def _is_folder(files: Any, path: str) -> bool:
    """Whether a path of a store is a folder. HTTP's own `isdir` would read a file for links."""
    return files.info(path).get("type") == "directory"


def files_below(url: str) -> list[str]:
    """Paths of all files below a folder, from that folder on; raises as `mark_of` does."""
    with _explained(url):
        files, path = connect(url)
        return sorted(posixpath.relpath(name, path) for name in files.find(path))


@contextmanager
def opened(url: str):
    """A remote file, to be read as bytes; raises as `mark_of` does."""
    with _explained(url):
        files, path = connect(url)
        with files.open(path, "rb") as file:
            yield file


def download(url: str, path: Path) -> None:
    """Copy a file or a folder to a path; raises as `mark_of` does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _explained(url):
        files, inside = connect(url)
        files.get(inside, str(path), recursive=_is_folder(files, inside))


@contextmanager
def _explained(url: str):
    """Replace the errors of a store with a message that names the URL."""
    try:
        yield
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"There is no file {url}.") from error
    except PermissionError as error:
        raise UserError(f"You may not read {url}: check the key that you use there.") from error
    except Exception as error:  # stores raise errors of their own kinds
        raise StoreError(f"{url} can't be read ({type(error).__name__}: {error}).") from error
