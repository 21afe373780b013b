"""Recognises stand-ins: tiny models with random values, which the project's tests paint with."""

from collections.abc import Iterable
from pathlib import Path

from .model_files import part_weights

MARK = "stand_in"  # in the metadata of a stand-in's file
SAID = "a stand-in of the project's tests: its values are random, and its frames are noise"


def is_stand_in(path: Path, parts: Iterable[str] = ()) -> bool:
    """Whether the metadata of a .safetensors file marks it as a stand-in.

    Args:
        path: a model file, or the index of a folder in diffusers' layout.
        parts: sub-folders beside the index; their weights are looked at too.
    """
    files = [path, *(file for part in parts for file in part_weights(path.parent / part))]
    return any(map(_is_marked, files))


def _is_marked(path: Path) -> bool:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as opened:  # numpy, because torch takes a second to import
            return MARK in (opened.metadata() or {})
    except (OSError, SafetensorError):
        return False
