"""JSON from anywhere: whatever is in it, the answer is values or what is wrong with it."""

import json
import math
from collections import Counter
from typing import Any

from .quoting import quote

LARGEST = 2**64  # seeds are below


def parse_json(content: str | bytes) -> Any:
    """The values of a JSON text.

    Args:
        content: text, or bytes in UTF-8, with or without a byte-order mark, or in UTF-16 or
            UTF-32 with one.

    Raises:
        ValueError: it is no JSON, nested too deep, gives one name twice, or holds a number too
            large for a computer to count with.
    """
    if isinstance(content, str):
        content = content.removeprefix("\ufeff")
    try:
        return json.loads(
            content,
            parse_int=_whole,
            parse_float=_finite,
            parse_constant=_finite,  # NaN, Infinity and -Infinity, which Python writes
            object_pairs_hook=_without_doubles,
        )
    except UnicodeDecodeError as error:
        raise ValueError("it is no text in UTF-8") from error
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _whole(text: str) -> int:
    value = int(text) if len(text) <= len(str(-LARGEST)) else LARGEST
    if abs(value) >= LARGEST:
        raise ValueError(f"the number {text[:12]}... is too large")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text[:12]} is too large")
    return value


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A dictionary; of two values of one name, which one is meant?"""
    found = dict(pairs)
    if len(found) < len(pairs):
        (double, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"it gives {quote(double)} twice")
    return found
