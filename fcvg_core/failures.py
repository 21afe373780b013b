"""Turns errors that a user can fix into a sentence for the user."""

import errno
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from .errors import UserError

T = TypeVar("T")
INSTALL = 'pip install -e ".[standalone]" in the folder of this project'
# Module -> its package, where the two names differ.
PACKAGES = {"cv2": "opencv-python", "PIL": "pillow", "yaml": "pyyaml"}
NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
TOO_MUCH = {*NO_ROOM, errno.EFBIG}
NO_MEMORY = (
    "out of memory",
    "allocate memory",
    "not enough memory",
    "insufficient memory",
    "failed to allocate",
    "alloc_failed",
    "bad_alloc",
    "bad allocation",
    "failed to map segment",
)
GPU = re.compile(r"\b(cuda|hip|mps|xpu|cublas|cudnn)")
# {path} is the file or folder, {folder} is its parent folder.
REASONS = {
    errno.ENOENT: "There is no file or folder {path}.",
    errno.EACCES: "You may not read or write {path}: change its permissions, or choose another "
    "path.",
    errno.EPERM: "You may not change {path}: change its permissions, or choose another path.",
    errno.EROFS: "{folder} is on a read-only disk: choose a folder on another disk.",
    errno.EFBIG: "The disk of {folder} can't hold a file of this size: choose a folder on another "
    "disk.",
    errno.EEXIST: "{path} already exists: move it away, or choose another path.",
    errno.EISDIR: "{path} is a folder, but a file was expected.",
    errno.ENOTDIR: "The path {path} is not possible: a part of it is a file, but a folder was "
    "expected.",
    errno.ENAMETOOLONG: "The name {path} is too long for its disk: choose a shorter name.",
    errno.ELOOP: "{path} is a link that leads to itself: remove it, or choose another path.",
    errno.EIO: "{path} can't be read or written ({reason}): check its disk.",
    errno.EMFILE: "{path} can't be opened, because too many files are open: raise the limit "
    "(ulimit -n).",
}


def explain(error: Exception) -> str | None:
    """Message for an error that a user can fix; None for a fault of the program."""
    if isinstance(error, UserError):
        return str(error)
    if is_out_of_memory(error):
        return _explain_memory(error)
    if isinstance(error, ImportError):
        return _explain_import(error)
    if isinstance(error, OSError):
        known = error.errno is None or error.filename is not None
        return explain_disk(error) if known or error.errno in NO_ROOM | REASONS.keys() else None
    # diffusers and transformers raise a RuntimeError if one of their imports fails; the real error
    # is its cause.
    return explain(error.__cause__) if isinstance(error.__cause__, Exception) else None


def explain_disk(error: OSError, path: Path | None = None) -> str:
    """Message for a file that can't be read or written: its path and the remedy.

    Args:
        path: the file or folder; by default the path in the error.
    """
    if error.errno is None:  # a library raised it with its own sentence
        return str(error)
    if path is None and error.filename is not None:
        path = Path(os.fsdecode(error.filename))
    if path is None:
        return f"A file can't be read or written: {error.strerror}."
    folder = path if os.path.isdir(path) else path.parent  # Path.is_dir may raise
    if error.errno in NO_ROOM:
        problem = "is full" if error.errno == errno.ENOSPC else "has no more room for you (quota)"
        return (
            f"The disk of {folder} {problem}.{free_room(folder)} Make room there, or choose a "
            "folder on another disk."
        )
    if error.errno == errno.ENOENT and not path.is_absolute() and _is_lost():
        return f"The current folder, which should contain {path}, was removed: change to another."
    template = REASONS.get(error.errno, "{path} can't be read or written: {reason}.")
    return template.format(path=path, folder=folder, reason=error.strerror)


def _is_lost() -> bool:
    """Whether the current folder was removed."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def is_disk_full(error: Exception) -> bool:
    """Whether an error says that a disk is full; errors of safetensors have no errno."""
    words = (os.strerror(number) for number in NO_ROOM)
    return getattr(error, "errno", None) in NO_ROOM or any(word in str(error) for word in words)


def check_room(folder: Path, size: float, *, what: str, remedy: str) -> None:
    """Raise UserError unless the disk of a folder has `size` free bytes; its cause is a full disk.

    Args:
        size: in bytes.
        what: subject and verb for the message, for example "the video needs".
        remedy: a sentence for the message.
    """
    free = shutil.disk_usage(folder).free
    if size > free:
        raise UserError(
            f"The disk of {folder} has {amount(free)} free, but {what} {amount(size)}. {remedy}"
        ) from OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def free_room(path: Path) -> str:
    """Text like " 12 MB are free." for the disk of a file or folder, which need not exist yet."""
    places = (path, *path.absolute().parents)
    existing = next((place for place in places if os.path.exists(place)), None)
    if existing is None:
        return ""
    if not _has_inodes(existing):
        return " It has no place for another file, even a small file (no free inodes)."
    return f" {amount(shutil.disk_usage(existing).free)} are free."


def _has_inodes(path: Path) -> bool:
    """Whether a disk has room for another file entry; some file systems have a fixed number."""
    if not hasattr(os, "statvfs"):  # Windows
        return True
    disk = os.statvfs(path)
    return disk.f_files == 0 or disk.f_ffree > 0


def is_out_of_memory(error: Exception) -> bool:
    """Whether memory ran out. Errors of libraries and GPUs are recognised by their words."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    message = str(error).lower()
    return not isinstance(error, OSError) and any(words in message for words in NO_MEMORY)


def none_if_out_of_memory(work: Callable[[], T]) -> T | None:
    """What `work` returns; None where memory ran out.

    The caller tries another way after this function is left: a live exception still refers to the
    tensors of `work`.
    """
    try:
        return work()
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return None


def amount(size: float) -> str:
    """A number of bytes as text, for example "1.5 GB"."""
    if size >= 1e9:
        return f"{size / 1e9:.1f} GB"
    if size >= 1e6:
        return f"{size / 1e6:.0f} MB" if size >= 1e7 else f"{size / 1e6:.1f} MB"
    return f"{size / 1e3:.0f} kB"


def _explain_memory(error: Exception) -> str:
    if GPU.search(str(error).lower()):
        return (
            "The device's memory ran out. Try --offload, a smaller size, or fewer frames at once "
            "(--window, or --frames where there are no windows)."
        )
    return "The computer's memory ran out. Try a smaller size, or fewer frames."


def _explain_import(error: ImportError) -> str:
    module = (error.name or "").split(".")[0]
    package = PACKAGES.get(module, module)
    if isinstance(error, ModuleNotFoundError):
        return (
            f"The package {package} is not installed: pip install {package}. To install all "
            f"packages that the command line needs: {INSTALL}"
        )
    return (
        f"The package {package or '(unknown)'} is installed, but does not work: {error}. To find "
        "the reason, run: python -m fcvg_core doctor"
    )
