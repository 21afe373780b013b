"""The ids of lines, people, paths and regions in files."""

from typing import Any

from .quoting import quote

MAX_ID = 99_999  # there is a colour for each id


def check_id(value: Any, name: str) -> None:
    """Raise ValueError unless the id of what is called `name` is a whole number, 0 to MAX_ID."""
    # In JSON true and false are no numbers, but in Python they are.
    if type(value) is not int or not 0 <= value <= MAX_ID:
        raise ValueError(f"id of {name} is {quote(value)}; expected 0 to {MAX_ID}")
