"""Records, which are JSON: how a result was made and which files it has; why a task failed."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...json_text import parse_json
from ..types import Store
from . import layout

ENDING = ".json"


def record_text(record: Mapping[str, Any], sizes: Mapping[str, int]) -> bytes:
    """A record as JSON in UTF-8.

    Args:
        sizes: in bytes, of each file of the result but the record.
    """
    return (json.dumps({**record, "files": dict(sizes)}, indent=1) + "\n").encode()


def parse_record(content: bytes | None) -> dict[str, Any] | None:
    """The values of a record, or of any small file or line of OUT; None if missing or damaged."""
    try:
        values = parse_json(content or b"")
    except ValueError:
        return None
    return values if isinstance(values, dict) else None


def failed_names(store: Store) -> set[str]:
    """Names of the tasks that have failed."""
    names = store.names(layout.FAILED)
    return {name.removesuffix(ENDING) for name in names if name.endswith(ENDING)}


def failed_path(name: str) -> str:
    """Name in the store of the file that says why a task failed."""
    return f"{layout.FAILED}/{name}{ENDING}"


def file_sizes(folder: Path) -> dict[str, int]:
    """Sizes in bytes of all files of a result but its record, by their path with slashes.

    Raises:
        FileNotFoundError: the folder is gone, or is being removed.
    """
    found = {}
    for root, _, files in os.walk(folder, onerror=_raise):
        for file in files:
            path = Path(root) / file
            found[path.relative_to(folder).as_posix()] = path.stat().st_size
    found.pop(layout.RECORD, None)
    return dict(sorted(found.items()))


def _raise(error: OSError) -> None:
    raise error
