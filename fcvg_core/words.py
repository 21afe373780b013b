"""Names from files in the words of a message: whatever they are, in one line and not too long."""

import itertools
from collections.abc import Iterable
from typing import Any

SHOWN_LETTERS = 80


def in_short(wrong: list[str]) -> str:
    """The first three of many faults, and how many there are besides."""
    return "; ".join(wrong[:3]) + (f" and {len(wrong) - 3} more" if len(wrong) > 3 else "")


def shown(key: Any) -> str:
    """A name as a message can show it."""
    text = key[: SHOWN_LETTERS + 1] if isinstance(key, str) else _represented(key)
    text = text if text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= SHOWN_LETTERS else f"{text[:SHOWN_LETTERS]}..."


def _represented(key: Any) -> str:
    """A key that is no name: numbers by their digits, all else by its kind."""
    if isinstance(key, int) and abs(key) >= 2**64:
        return "a large number"
    return repr(key) if key is None or isinstance(key, (int, float)) else f"a {type(key).__name__}"


def first_names(names: Iterable) -> str:
    """The first two of many names, for a message: "a, b"."""
    return ", ".join(map(shown, itertools.islice(names, 2)))
