"""What an error means to the person who sees it: a sentence for all that a user can mend."""

import errno
import os
import re
import shutil
from pathlib import Path

from .errors import UserError

INSTALL = 'pip install -e ".[standalone]" in the folder of this project'
PACKAGES = {"cv2": "opencv-python", "PIL": "pillow", "yaml": "pyyaml"}  # of modules by other names
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
CARD = re.compile(r"\b(cuda|hip|mps|xpu|cublas|cudnn)")
# {path} is the file or folder, {folder} the folder that it is in.
REASONS = {
    errno.ENOENT: "There is no file or folder {path}.",
    errno.EACCES: "{path} may not be read or written by you: give yourself the right to, or name "
    "another.",
    errno.EPERM: "{path} may not be changed by you: give yourself the right to, or name another.",
    errno.EROFS: "{folder} is on a disk that can only be read: name a folder on another disk.",
    errno.EFBIG: "The disk of {folder} takes no file of that size: name a folder on another disk.",
    errno.EEXIST: "{path} exists already: move it away, or name another.",
    errno.EISDIR: "{path} is a folder, where a file was expected.",
    errno.ENOTDIR: "{path} can't be: a part of this path is a file, where a folder was expected.",
    errno.ENAMETOOLONG: "The name {path} is too long for its disk: choose a shorter one.",
    errno.ELOOP: "{path} is a link that leads to itself: remove it, or name another.",
    errno.EIO: "{path} can't be read or written ({reason}): look at its disk.",
    errno.EMFILE: "Too many files are open to open {path}: raise the limit (ulimit -n).",
}


def explain(error: Exception) -> str | None:
    """What to say of an error that a user can mend; None for a fault of the program."""
    if isinstance(error, UserError):
        return str(error)
    if is_memory(error):
        return _explain_memory(error)
    if isinstance(error, ImportError):
        return _explain_import(error)
    if isinstance(error, OSError):
        known = error.errno is None or error.filename is not None
        return explain_disk(error) if known or error.errno in NO_ROOM | REASONS.keys() else None
    # diffusers and transformers raise a RuntimeError because of what stops an import.
    return explain(error.__cause__) if isinstance(error.__cause__, Exception) else None


def explain_disk(error: OSError, path: Path | None = None) -> str:
    """What to say where a file can't be read or written: which one, and the remedy.

    Args:
        path: the file or folder; by default the one that the error tells.
    """
    if error.errno is None:  # a library's own sentence
        return str(error)
    if path is None and error.filename is not None:
        path = Path(os.fsdecode(error.filename))
    if path is None:
        return f"A file can't be read or written: {error.strerror}."
    folder = path if os.path.isdir(path) else path.parent  # Path's own may raise
    if error.errno in NO_ROOM:
        what = "is full" if error.errno == errno.ENOSPC else "gives you no more room (quota)"
        return (
            f"The disk of {folder} {what}.{free_room(folder)} Make room there, or name a "
            "folder on another disk."
        )
    if error.errno == errno.ENOENT and not path.is_absolute() and _is_lost():
        return f"The current folder, in which {path} is, is gone: change to another one."
    said = REASONS.get(error.errno, "{path} can't be read or written: {reason}.")
    return said.format(path=path, folder=folder, reason=error.strerror)


def _is_lost() -> bool:
    """Whether the current folder was removed."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def is_full(error: Exception) -> bool:
    """Whether a disk has no more room; safetensors has the system's words for it alone."""
    words = (os.strerror(number) for number in NO_ROOM)
    return getattr(error, "errno", None) in NO_ROOM or any(word in str(error) for word in words)


def check_room(folder: Path, size: float, *, what: str, remedy: str) -> None:
    """Raise UserError unless the disk of a folder has `size` bytes free.

    Args:
        what: takes them, with its verb.
        remedy: a sentence.
    """
    free = shutil.disk_usage(folder).free
    if size > free:
        raise UserError(
            f"The disk of {folder} has {amount(free)} free, but {what} {amount(size)}. {remedy}"
        )


def free_room(path: Path) -> str:
    """The words " 12 MB are free.", of the disk that a file or folder is on or would be."""
    found = next((each for each in (path, *path.absolute().parents) if os.path.exists(each)), None)
    if found is None:
        return ""
    if not _takes_files(found):
        return " It can't hold one more file, however small."
    return f" {amount(shutil.disk_usage(found).free)} are free."


def _takes_files(path: Path) -> bool:
    """Whether a disk has place for one more file; some give all of them their places at first."""
    if not hasattr(os, "statvfs"):  # Windows
        return True
    disk = os.statvfs(path)
    return disk.f_files == 0 or disk.f_ffree > 0


def is_memory(error: Exception) -> bool:
    """Whether memory ran out: Python's or, told by its words, that of a library or of a card."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    said = str(error).lower()
    return not isinstance(error, OSError) and any(sign in said for sign in NO_MEMORY)


def amount(size: float) -> str:
    """A number of bytes in words."""
    if size >= 1e9:
        return f"{size / 1e9:.1f} GB"
    if size >= 1e6:
        return f"{size / 1e6:.0f} MB" if size >= 1e7 else f"{size / 1e6:.1f} MB"
    return f"{size / 1e3:.0f} kB"


def _explain_memory(error: Exception) -> str:
    if CARD.search(str(error).lower()):
        return "The device's memory ran out. Try --offload, a smaller --window or a smaller size."
    return "The computer's memory ran out. Try a smaller size, or fewer frames."


def _explain_import(error: ImportError) -> str:
    module = (error.name or "").split(".")[0]
    package = PACKAGES.get(module, module)
    if isinstance(error, ModuleNotFoundError):
        return (
            f"The package {package} is not installed: pip install {package}. For all that the "
            f"command line needs: {INSTALL}"
        )
    return (
        f"The package {package or '(unknown)'} is installed and does not work: {error}. What "
        "to do: python -m fcvg_core doctor"
    )
