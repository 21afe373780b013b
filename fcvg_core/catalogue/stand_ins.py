"""Recognises stand-ins: tiny models with random values, which the project's tests paint with."""

import zipfile
from collections.abc import Iterable
from pathlib import Path

from ..containers import SAFETENSORS
from .model_files import part_weights

# In the metadata of a stand-in's .safetensors file; the name of an entry in a file of torch.save.
MARK = "stand_in"
SAID = "a stand-in of the project's tests: its values are random, and its frames are noise"


def is_stand_in(path: Path, parts: Iterable[str] = ()) -> bool:
    """Whether the mark of stand-ins is in a file of weights.

    Args:
        path: a model file, or the index of a folder in diffusers' layout.
        parts: sub-folders beside the index; their weights are looked at too.
    """
    files = [path, *(file for part in parts for file in part_weights(path.parent / part))]
    return any(map(_is_marked, files))


def _is_marked(path: Path) -> bool:
    if path.suffix.lower() not in SAFETENSORS:
        return _has_marked_entry(path)
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as opened:  # numpy, because torch takes a second to import
            return MARK in (opened.metadata() or {})
    except (OSError, SafetensorError):
        return False


def _has_marked_entry(path: Path) -> bool:
    """Whether a file is a zip archive with the mark; only its table of contents is read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(f"/{MARK}") for name in archive.namelist())
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return False
