"""Clips: the file that lists them, their frames, and which of them are kept for validation."""

from .frames import read_clip, read_guide
from .hands import read_hands
from .item import Fault, Item, write_faults
from .manifest import read_manifest
from .split import split_items

__all__ = [
    "Fault",
    "Item",
    "read_clip",
    "read_guide",
    "read_hands",
    "read_manifest",
    "split_items",
    "write_faults",
]
