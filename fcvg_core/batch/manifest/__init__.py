"""A list of jobs: a file of JSON lines, a table in CSV, or a folder of pairs.

Every row has an `id`, options by their names, and perhaps a `mode`. What a row's options mean is
not known here.
"""

import itertools
import os
import posixpath
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from typing import BinaryIO

from ...errors import UserError
from ...failures import explain_disk
from ..store import is_remote, local_path
from ..store.urls import files_below, is_folder_url, is_url, opened
from .csv_rows import read_csv
from .folder import read_pairs
from .jsonl import read_jsonl
from .rows import Manifest, ManifestError, Row, Rows
from .texts import read_texts

__all__ = ["Manifest", "ManifestError", "Row", "read_manifest"]

JSONL, CSV = (".jsonl", ".ndjson", ".json"), (".csv", ".tsv")


def read_manifest(source: str, modes: Collection[str] | None = None) -> Manifest:
    """All rows of a manifest.

    Args:
        source: a file or a folder of pairs, as a path or as a URL. A file is UTF-8, with or without
            a byte-order mark.
        modes: names of the modes that a row can have; None: any.

    Raises:
        ManifestError: rows are broken; it names all of them.
        UserError: there is no such file, or it can't be read.
    """
    if is_url(source) and not is_remote(source):
        source = str(local_path(source))
    found = Rows(modes)
    if _is_folder(source):
        read_pairs(_list_folders(source), found)
        folder, typed = source, False
    else:
        folder = posixpath.dirname(source) if is_url(source) else os.path.dirname(source)
        typed = _read_file(source, found)
        if not found.rows and not found.faults:
            found.faults.append("it has no rows; expected a row for each pair.")
    folder = folder if is_url(source) else os.path.abspath(folder)
    manifest = Manifest(source, folder, typed, found.rows)
    if found.faults:
        raise ManifestError(found.faults, manifest)
    return manifest


def _is_folder(source: str) -> bool:
    return is_folder_url(source) if is_url(source) else os.path.isdir(source)


def _list_folders(source: str) -> dict[str, list[str]]:
    """Name of each folder inside -> the names of its files."""
    if is_url(source):
        folders: dict[str, list[str]] = {}
        for name in files_below(source):
            inside, _, file = name.partition("/")
            if file and "/" not in file:
                folders.setdefault(inside, []).append(file)
        return folders
    try:
        with os.scandir(source) as entries:
            names = [entry.name for entry in entries if entry.is_dir()]
        return {name: os.listdir(os.path.join(source, name)) for name in names}
    except OSError as error:
        raise UserError(explain_disk(error)) from error


def _read_file(source: str, found: Rows) -> bool:
    """Read the rows of a file; returns whether their values are texts."""
    with ExitStack() as stack:
        if is_url(source):
            file = stack.enter_context(opened(source))
        else:
            file = stack.enter_context(_open(source))
        try:
            texts, typed = _is_csv(source, read_texts(file, found))
            (read_csv if typed else read_jsonl)(texts, found)
        except OSError as error:
            raise UserError(f"The manifest {source} can't be read: {error}.") from error
    return typed


def _open(source: str) -> BinaryIO:
    if not os.path.exists(source):
        raise UserError(
            f"There is no file or folder {source}; expected a manifest (JSON lines or CSV), or a "
            "folder of pairs."
        )
    if not os.path.isfile(source):  # a pipe can be read once, and a device may never end
        raise UserError(f"{source} is a pipe or a device; expected a manifest, a regular file.")
    try:
        return open(source, "rb")
    except OSError as error:
        raise UserError(explain_disk(error)) from error


def _is_csv(source: str, texts: Iterator[str]) -> tuple[Iterator[str], bool]:
    """The lines again, and whether they are CSV: by the ending, otherwise by the first line."""
    ending = os.path.splitext(source)[1].lower()
    if ending in (*CSV, *JSONL):
        return texts, ending in CSV
    first = list(itertools.islice(texts, 1))
    return itertools.chain(first, texts), not "".join(first).lstrip().startswith(("{", "["))
