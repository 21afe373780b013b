"""What comes from a user or a file, in a message: in one line, and not too long."""

import itertools
import re
from collections.abc import Iterable, Sequence
from reprlib import Repr
from typing import Any

LONGEST = 60  # characters of one value, or of one word
LONGEST_MESSAGE = 1000
LONGEST_NAME = 80

_repr = Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = LONGEST


def quote(value: object) -> str:
    """A value as Python writes it, at most 60 characters: what is longer is cut."""
    return _cut(_repr.repr(value), LONGEST)


def shorten(message: str) -> str:
    """A message on one line, with words of at most 60 and in all at most 1000 characters."""
    words = (_cut(word, LONGEST) for word in re.split(r"\s+", message[: 2 * LONGEST_MESSAGE]))
    return _cut(" ".join(words), LONGEST_MESSAGE)


def readable(message: str) -> str:
    """A message as a terminal can show it: lines of at most 1000 characters, which do nothing.

    Names of files may hold all but a zero. What a terminal would obey, or can't show, is escaped;
    of a long line the middle is left out.
    """
    return "\n".join(map(_readable_line, message.split("\n")))


def in_short(items: Sequence[str], *, most: int = 3, between: str = "; ") -> str:
    """The first of many names or faults, and how many there are besides: "a; b; c and 5 more"."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return between.join(items[:most]) + more


def shown(key: Any) -> str:
    """The name of a tensor or the like without quotes, at most 80 characters."""
    text = key[: LONGEST_NAME + 1] if isinstance(key, str) else _represented(key)
    return _cut(text if text.isprintable() else ascii(text)[1:-1], LONGEST_NAME)


def _readable_line(line: str) -> str:
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
    half = LONGEST_MESSAGE // 2
    return line if len(line) <= LONGEST_MESSAGE else f"{line[: half - 3]}...{line[-half:]}"


def _represented(key: Any) -> str:
    """A key that is no name: numbers by their digits, all else by its kind."""
    if isinstance(key, int) and abs(key) >= 2**64:
        return "a large number"
    return repr(key) if key is None or isinstance(key, (int, float)) else f"a {type(key).__name__}"


def first_names(names: Iterable) -> str:
    """The first two of many names, for a message: "a, b"."""
    return ", ".join(map(shown, itertools.islice(names, 2)))


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."
