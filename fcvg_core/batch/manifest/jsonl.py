"""A manifest with a JSON object on each line."""

import json
from collections.abc import Iterable

from ...json_text import parse_json
from ...quoting import quote
from .rows import Rows

BROKEN = "this is not JSON"
EXAMPLE = 'such as {"id": "a", "first": "a.png", "last": "b.png"}'


def read_jsonl(texts: Iterable[str], found: Rows) -> None:
    """Add each line to `found` as a row or as a fault; blank lines are left out."""
    for number, text in enumerate(texts, 1):
        if number == 1 and text.lstrip().startswith("["):  # of a list each line would be a fault
            found.refuse(1, f"a list begins here; expected an object on each line, {EXAMPLE}.")
            return
        if text.strip():
            _read_line(number, text.rstrip("\r\n"), found)


def _read_line(number: int, text: str, found: Rows) -> None:
    try:
        values = parse_json(text)
    except ValueError as error:
        # A comma too many comes as a ValueError whose cause knows the place.
        place = error if isinstance(error, json.JSONDecodeError) else error.__cause__
        if not isinstance(place, json.JSONDecodeError):
            found.refuse(number, f"{BROKEN}: {error}.")
            return
        said = place.msg if place is error else "a comma too many"
        found.refuse(number, f"{BROKEN} ({said}).", column=place.colno)
        return
    if not isinstance(values, dict):
        found.refuse(number, f"it is {quote(values)}; expected an object, {EXAMPLE}.")
        return
    found.add(number, values)
