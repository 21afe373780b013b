"""Errors of a download, by what is to blame: the network, the disk or the file."""

import errno
import os
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import UserError
from ..failures import NO_ROOM, free_room

RESUME = "The part that has come is kept: the same command goes on from there."
NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}


class UnreachableError(UserError):
    """The network is to blame: other files of this server would fail too."""


class DiskError(UserError):
    """There is no room, or no right to write: other files would fail too."""


def unreachable(url: str, error: BaseException) -> UnreachableError:
    """The error about a server that does not answer, or stopped answering."""
    return UnreachableError(
        f"{urlsplit(url).netloc} can't be reached, or the connection broke off "
        f"({reason_of(error)}). Look at the network and at HTTPS_PROXY. {RESUME}"
    )


def disk_error(path: Path, error: OSError) -> UserError:
    """The error about a file that can't be written, by what is to blame."""
    said = f"{path} can't be written: {os.strerror(error.errno) if error.errno else error}."
    elsewhere = f"or let FCVG_MODELS name another folder. {RESUME}"
    if error.errno in NO_ROOM:
        return DiskError(f"{said}{free_room(path)} Make room, {elsewhere}")
    if error.errno == errno.EFBIG:
        return UserError(
            f"{said} Its disk takes no file of that size, for example because its format is "
            f"FAT32: let FCVG_MODELS name a folder on another disk."
        )
    if error.errno in NO_RIGHT:
        return DiskError(f"{said} Give yourself the right to write there, {elsewhere}")
    return UserError(f"{said} Look at what is in its place, {elsewhere}")


def reason_of(error: BaseException) -> str:
    """Root cause of an error, in one line that is not too long."""
    seen = []
    while error not in seen:
        seen.append(error)
        inner = [
            getattr(error, "reason", None),
            *reversed(error.args),
            error.__cause__,
            error.__context__,
        ]
        error = next((one for one in inner if isinstance(one, BaseException)), error)
    return " ".join(str(error).split())[:200] or type(error).__name__
