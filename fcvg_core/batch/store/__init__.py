"""Where results go: a folder (`local`), or a bucket or another place that fsspec knows (`remote`).

A result appears whole or not at all, and a second one of the same name is dropped.
"""

import re
from pathlib import Path
from urllib.parse import unquote

from ...errors import UserError
from ...failures import is_disk_full
from ...files.claim import resolve_output
from ..types import Store


class StoreError(UserError):
    """A store can't be reached, or refuses to answer: the same may succeed later."""


def open_store(address: str) -> Store:
    """The store at an address.

    Args:
        address: path of a folder, which need not exist, or a URL that fsspec knows, such as
            "s3://bucket/x".

    Raises:
        UserError: the address is not possible, or a package that it needs is not installed.
    """
    if is_remote(address):
        from .remote import RemoteStore  # fsspec is loaded where it is needed

        return RemoteStore(address)
    from .local import LocalStore

    return LocalStore(resolve_output(local_path(address)))


def is_remote(address: str) -> bool:
    """Whether an address is a URL; those of files ("file://...") are paths."""
    return "://" in address and not address.startswith(("file://", "local://"))


def local_path(address: str) -> Path:
    """The path of a local address: as it is, or that of "file:///..."."""
    if "://" not in address:
        return Path(address)
    path = unquote(address.partition("://")[2])
    return Path(path[1:] if re.match("/[A-Za-z]:", path) else path)  # "file:///C:/x"


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or what it comes from, says that a disk is full."""
    while error is not None:
        if isinstance(error, Exception) and is_disk_full(error):
            return True
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return False
