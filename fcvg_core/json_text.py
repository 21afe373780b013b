"""Parsing of untrusted JSON: every text gives either values or a ValueError with the reason."""

import json
import math
from collections import Counter
from collections.abc import Collection
from functools import partial
from typing import Any

from .quoting import quote

LARGEST = 2**64  # seeds are smaller


def parse_json(content: str | bytes, *, without: Collection[str] = ()) -> Any:
    """The values of a JSON text.

    Args:
        content: text or bytes. Bytes are UTF-8 (a byte-order mark is allowed), or UTF-16 or
            UTF-32 with a byte-order mark.
        without: names whose values are left out at once, so that they need no memory.

    Raises:
        ValueError: the text is not JSON, is nested too deeply, contains a name twice, or contains
            a number of 2**64 or more.
    """
    if isinstance(content, str):
        content = content.removeprefix("\ufeff")
    try:
        return json.loads(
            content,
            parse_int=_whole,
            parse_float=_finite,
            parse_constant=_finite,  # NaN, Infinity and -Infinity, which Python writes
            object_pairs_hook=partial(_without_doubles, without=without),
        )
    except json.JSONDecodeError as error:
        before, after = error.doc[: error.pos].rstrip(), error.doc[error.pos : error.pos + 1]
        if before.endswith(",") and after in ("]", "}"):  # Python 3.13 says it by itself
            line = before.count("\n") + 1
            raise ValueError(f"a comma too many ends line {line}") from error
        raise
    except UnicodeDecodeError as error:
        raise ValueError("it is not text in UTF-8") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


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


def _without_doubles(pairs: list[tuple[str, Any]], *, without: Collection[str]) -> dict[str, Any]:
    """A dictionary; a name that occurs twice raises ValueError, because its value is unclear."""
    values = dict(pairs)
    if len(values) < len(pairs):
        (double, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"it contains the name {quote(double)} twice")
    for name in without:
        values.pop(name, None)
    return values
