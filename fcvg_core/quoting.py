"""Text from users and files for messages: on one line, and not too long."""

import itertools
import re
from collections.abc import Iterable, Sequence
from reprlib import Repr
from typing import Any

LONGEST = 60  # characters of a value or of a word
LONGEST_MESSAGE = 1000
LONGEST_NAME = 80


class _ShortRepr(Repr):
    def repr_int(self, x: int, level: int) -> str:
        try:
            return super().repr_int(x, level)
        except ValueError:  # Python writes no more than 4300 digits
            return "a huge number"


_repr = _ShortRepr()
_repr.maxstring = _repr.maxother = _repr.maxlong = LONGEST


def quote(value: object) -> str:
    """A value as Python's repr writes it, with quotes around text; cut to 60 characters."""
    return _cut(_repr.repr(value), LONGEST)


def shorten(message: str) -> str:
    """A message on one line, with words of at most 60 characters, cut to 1000 characters."""
    words = (_cut(word, LONGEST) for word in re.split(r"\s+", message[: 2 * LONGEST_MESSAGE]))
    return _cut(" ".join(words), LONGEST_MESSAGE)


def readable(message: str) -> str:
    """A message that is safe to print in a terminal, with lines of at most 1000 characters.

    File names can contain control characters. Characters that a terminal would obey or can't show
    are escaped. The middle of a longer line is left out.
    """
    return "\n".join(map(_readable_line, message.split("\n")))


def in_short(items: Sequence[str], *, most: int = 3, between: str = "; ") -> str:
    """The first items of a list, and the number of the others: "a; b; c and 5 more"."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return between.join(items[:most]) + more


def unquoted(key: Any) -> str:
    """The name of a tensor (or another key of a table) without quotes, cut to 80 characters."""
    text = key[: LONGEST_NAME + 1] if isinstance(key, str) else _represented(key)
    return _cut(text if text.isprintable() else ascii(text)[1:-1], LONGEST_NAME)


def _readable_line(line: str) -> str:
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
    half = LONGEST_MESSAGE // 2
    return line if len(line) <= LONGEST_MESSAGE else f"{line[: half - 3]}...{line[-half:]}"


def _represented(key: Any) -> str:
    """Text for a key that is not a string: digits of a number, or the type of any other key."""
    if isinstance(key, int) and abs(key) >= 2**64:
        return "a large number"
    return repr(key) if key is None or isinstance(key, (int, float)) else f"a {type(key).__name__}"


def first_names(names: Iterable) -> str:
    """The first two names, for a message: "a, b"."""
    return ", ".join(map(unquoted, itertools.islice(names, 2)))


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."
