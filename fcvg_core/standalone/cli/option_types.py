"""What an option may hold: one check for what is typed and for what run.json keeps."""

import argparse
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...bounds import FRAMES, SIZE, Bounds
from ...choices import TIMINGS
from ...quoting import quote

LONGEST_PATH = 4096  # characters; no system opens a longer one


@dataclass(frozen=True)
class OptionType:
    """The `type` of an argparse option, which also reads the values of run.json.

    Attributes:
        expected: what the option holds, for messages: "a whole number from 1 to 1000".
        parse: reads what is typed; raises ValueError for what the option can't hold.
        saved: types that JSON has for it.
        advice: what to take instead of a text, or nothing.
        bounds: of a number.
    """

    expected: str
    parse: Callable[[str], Any]
    saved: tuple[type, ...] = (str,)
    advice: Callable[[str], str] = lambda text: ""
    bounds: Bounds | None = None

    def __call__(self, text: str) -> Any:
        """The value of a typed text."""
        try:
            return self.parse(text)
        except ValueError as error:
            got = text if re.fullmatch(r"[-+.0-9e]{1,30}", text) else quote(text)
            advice = self.advice(text)
            raise argparse.ArgumentTypeError(
                f"expected {self.expected}, got {got}{': ' if advice else ''}{advice}"
            ) from error

    def read_saved(self, value: Any) -> Any:
        """The value of what JSON holds: what typing it would give.

        Raises:
            ValueError: the option can't hold it.
        """
        if type(value) not in self.saved:  # true and false are numbers to isinstance
            raise ValueError(value)
        if isinstance(value, list):
            if any(type(item) not in (int, float) for item in value):
                raise ValueError(value)
            return self.parse(",".join(map(repr, value)))
        return self.parse(value if isinstance(value, str) else repr(value))


def whole(bounds: Bounds) -> OptionType:
    """A whole number between two bounds. Numbers are read as Python reads them: 1_000 is 1000."""
    return OptionType(
        f"a whole number from {bounds}",
        lambda text: _within(int(text), bounds),
        saved=(int,),
        bounds=bounds,
    )


def number(bounds: Bounds) -> OptionType:
    """A number between two bounds, read as `whole` does; 1e3 is 1000 here."""
    return OptionType(
        f"a number from {bounds}",
        lambda text: _within(float(text), bounds),
        saved=(int, float),
        bounds=bounds,
    )


def _within(value: float, bounds: Bounds) -> float:
    if value not in bounds:
        raise ValueError(value)
    return value


def _sizes_around(text: str) -> str:
    """The one or two sizes beside a number: "take 64 or 128"."""
    try:
        value = float(text)
        lower = int(value // SIZE.step) * SIZE.step
    except (ValueError, OverflowError):
        return ""
    sizes = {min(max(size, SIZE.minimum), SIZE.maximum) for size in (lower, lower + SIZE.step)}
    return f"take {' or '.join(map(str, sorted(sizes)))}"


def _path(text: str) -> Path:
    os.fsencode(text)  # raises ValueError for characters that no file has in its name
    if not text or "\0" in text or len(text) > LONGEST_PATH:
        raise ValueError(text)
    return Path(text)


def _device(text: str) -> str:
    if not re.fullmatch(r"[a-z]+(:[0-9]{1,3})?", text):
        raise ValueError(text)
    return text


def _timing(text: str) -> str | list[float]:
    from ...timeline import parse_timing

    return parse_timing(text)


SIZE_TYPE = OptionType(
    f"a multiple of {SIZE.step} from {SIZE}",
    lambda text: _within(int(text), SIZE),
    saved=(int,),
    advice=_sizes_around,
    bounds=SIZE,
)
PATH = OptionType(
    f"a path of 1 to {LONGEST_PATH} characters that a file may have in its name", _path
)
DEVICE = OptionType("auto, cpu, cuda, cuda:1, mps, xpu or the like", _device)
TIMING = OptionType(
    f"a timing of {', '.join(TIMINGS)}, or {FRAMES} numbers in 0..1",
    _timing,
    saved=(str, list),
)
