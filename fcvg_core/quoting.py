"""What a user gave, repeated in a message: never longer than a message should be."""

import re
from reprlib import Repr

LONGEST = 60  # characters of one value, or of one word
LONGEST_MESSAGE = 1000

_repr = Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = LONGEST


def quote(value: object) -> str:
    """A value as Python writes it, at most 60 characters: what is longer is cut."""
    return _cut(_repr.repr(value), LONGEST)


def shorten(message: str) -> str:
    """A message on one line, with words of at most 60 and in all at most 1000 characters."""
    words = (_cut(word, LONGEST) for word in re.split(r"\s+", message[: 2 * LONGEST_MESSAGE]))
    return _cut(" ".join(words), LONGEST_MESSAGE)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."
