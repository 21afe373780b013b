"""Messages for failed downloads: an unreachable server, or a disk that can't be written."""

import errno
import os
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import UserError
from ..failures import NO_ROOM, free_room

RESUME = "What was downloaded is kept: the same command continues from there."
# Said once, after a line for each file that is affected.
CHECK_NETWORK = f"Check the network and HTTPS_PROXY. {RESUME}"
NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}


class UnreachableError(UserError):
    """An error of the network; further files from the same server would fail, too.

    The remedy is CHECK_NETWORK.
    """


class DiskError(UserError):
    """No room, or no permission to write; further files would fail, too."""


def unreachable(url: str, error: BaseException) -> UnreachableError:
    """Error for a server that does not answer, or has stopped answering."""
    return UnreachableError(
        f"{urlsplit(url).netloc} can't be reached, or the connection broke off "
        f"({reason_of(error)})."
    )


def disk_error(path: Path, error: OSError) -> UserError:
    """Error for a file that can't be written, with a remedy that depends on the cause."""
    fault = f"{path} can't be written: {os.strerror(error.errno) if error.errno else error}."
    elsewhere = f"or set FCVG_MODELS to another folder. {RESUME}"
    if error.errno in NO_ROOM:
        return DiskError(f"{fault}{free_room(path)} Make room, {elsewhere}")
    if error.errno == errno.EFBIG:
        return UserError(
            f"{fault} Its disk can't hold a file of this size (FAT32, for example, can't): set "
            "FCVG_MODELS to a folder on another disk."
        )
    if error.errno in NO_RIGHT:
        return DiskError(f"{fault} Change the permissions of its folder, {elsewhere}")
    return UserError(f"{fault} Check what is at this path, {elsewhere}")


def reason_of(error: BaseException) -> str:
    """Root cause of an error, on one line of at most 200 characters."""
    seen = []
    while error not in seen:
        seen.append(error)
        inner = [
            getattr(error, "reason", None),
            *reversed(error.args),
            error.__cause__,
            error.__context__,
        ]
        error = next((cause for cause in inner if isinstance(cause, BaseException)), error)
    return " ".join(str(error).split())[:200] or type(error).__name__
