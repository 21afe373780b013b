"""Recognises stand-ins: tiny models with random values, which the project's tests paint with."""

from pathlib import Path

from safetensors import SafetensorError, safe_open

MARK = "stand_in"  # in the metadata of a stand-in's file


def is_stand_in_file(path: Path) -> bool:
    """Whether the metadata of a .safetensors file marks it as a stand-in."""
    try:
        with safe_open(path, "pt") as opened:
            return MARK in (opened.metadata() or {})
    except (OSError, SafetensorError):
        return False
