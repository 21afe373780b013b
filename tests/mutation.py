"""Bad input for the fuzz tests: damaged copies of real files, and JSON with random values."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from fcvg_core.errors import UserError

# Values that are difficult for any reader.
ODD_NUMBERS = [0, -1, 1, 2, 0.5, -0.0, 2**31, 2**63, 2**64 - 1, 1e-320, 1e30, 1e308, -1e308]
ODD_TEXTS = ["", "0", "nan", "\x00", "\u00e9", "\ud800", "\U0001f600", "a" * 1000, "../..", "None"]
# Texts that are not valid JSON, although Python reads some of them.
RAW_NUMBERS = ["1e400", "-1e400", "NaN", "Infinity", "-Infinity", "1" * 400, str(2**70), "01", "+1"]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(ODD_NUMBERS),
    st.sampled_from(ODD_TEXTS),
    st.integers(-(2**70), 2**70),
    st.floats(),
)


def json_values(keys: list[str], *, leaves: st.SearchStrategy = scalars) -> st.SearchStrategy:
    """Random nested lists and dictionaries; most keys are keys that a reader looks for."""
    named = st.one_of(st.sampled_from(keys), st.sampled_from(ODD_TEXTS))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=5), st.dictionaries(named, inner, max_size=5)
        ),
        max_leaves=12,
    )


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Content with a few bytes flipped, lost, doubled, exchanged or added, or with its end cut."""
    for _ in range(draw(st.integers(1, 4))):
        if not content:
            break
        start = draw(st.integers(0, len(content) - 1))
        length = draw(st.sampled_from([1, 2, 4, 8, 64]))
        end = min(start + length, len(content))
        kind = draw(st.sampled_from(["bytes", "bit", "cut", "lost", "doubled", "moved", "added"]))
        if kind == "bytes":
            new = draw(st.binary(min_size=end - start, max_size=end - start))
            content = content[:start] + new + content[end:]
        elif kind == "bit":
            flipped = content[start] ^ (1 << draw(st.integers(0, 7)))
            content = content[:start] + bytes([flipped]) + content[start + 1 :]
        elif kind == "cut":
            content = content[:start]
        elif kind == "lost":
            content = content[:start] + content[end:]
        elif kind == "doubled":
            content = content[:end] + content[start:]
        elif kind == "moved":
            where = draw(st.integers(0, len(content)))
            content = content[:where] + content[start:end] + content[where:]
        else:
            content = content[:start] + draw(st.binary(max_size=length)) + content[start:]
    return content


@st.composite
def changed(draw: st.DrawFn, value: object, *, leaves: st.SearchStrategy = scalars) -> object:
    """A copy of a JSON value with one to three parts replaced, removed or doubled."""
    value = json.loads(json.dumps(value))
    for _ in range(draw(st.integers(1, 3))):
        value = _changed_once(draw, value, leaves)
    return value


def _changed_once(draw: st.DrawFn, value: object, leaves: st.SearchStrategy) -> object:
    """Descend to a random part of a value, and change this part."""
    if not isinstance(value, (dict, list)) or not value or draw(st.integers(0, 4)) == 0:
        return draw(st.one_of(leaves, st.lists(leaves, max_size=3), st.just({})))
    where = draw(st.sampled_from(list(value) if isinstance(value, dict) else range(len(value))))
    kind = draw(st.sampled_from(["deeper", "deeper", "deeper", "lost", "doubled"]))
    if kind == "deeper":
        value[where] = _changed_once(draw, value[where], leaves)
    elif kind == "lost":
        del value[where]
    elif isinstance(value, list):
        value.insert(where, value[where])
    else:
        value["more"] = value[where]
    return value


def as_json(draw: st.DrawFn, value: object) -> bytes:
    """The value as bytes of a file; sometimes with a number that is not valid JSON."""
    text = json.dumps(value)
    if draw(st.integers(0, 3)) == 0:
        text = text.replace("0", draw(st.sampled_from(RAW_NUMBERS)), 1)
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16"]))
    return text.encode(encoding)


def read_or_refuse(path: Path, content: bytes, reader: Callable[[Path], Any]) -> Any:
    """Result of a reader; None if the reader raises a short error that names the file."""
    path.write_bytes(content)
    try:
        return reader(path)
    except UserError as error:
        assert str(path) in str(error) and len(str(error)) < 500 + len(str(path))
        return None
