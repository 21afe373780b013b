"""What a setting may hold: one check for texts that are typed, values of JSON and of Python."""

import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...bounds import FRAMES, SEED, SIZE, Bounds
from ...choices import TIMINGS
from ...errors import UserError
from ...quoting import quote

LONGEST_PATH = 4096  # characters; no system opens a longer one
LONGEST_TEXT = 10_000  # characters of a prompt; DropletVideo reads about 1,800, others fewer
LARGEST_DRAWN_SEED = 2**31  # as in the official code of DynamiCrafter


@dataclass(frozen=True)
class ValueKind:
    """The values that a setting may have, and how they are read.

    Attributes:
        expected: the values in words, for messages: "a whole number from 1 to 1000".
        parse: reads a typed text; raises ValueError if the setting can't hold its value.
        saved: the types that JSON has for these values.
        advice: names a good value near a bad text; empty if there is none.
        bounds: the bounds of a number.
        choices: the words of a setting that is one of a few words.
    """

    expected: str
    parse: Callable[[str], Any]
    saved: tuple[type, ...] = (str,)
    advice: Callable[[str], str] = lambda text: ""
    bounds: Bounds | None = None
    choices: tuple[str, ...] | None = None

    def __call__(self, text: str) -> Any:
        """The value of a typed text.

        Raises:
            UserError: the setting can't hold it.
        """
        try:
            return self.parse(text)
        except ValueError as error:
            got = text if re.fullmatch(r"[-+.0-9e]{1,30}", text) else quote(text)
            advice = self.advice(text)
            raise UserError(
                f"expected {self.expected}, got {got}{': ' if advice else ''}{advice}"
            ) from error

    def read_saved(self, value: Any) -> Any:
        """The value of a JSON value: the same as if its text were typed.

        Raises:
            ValueError: the setting can't hold it.
        """
        if type(value) not in self.saved:  # isinstance would accept true and false as numbers
            raise ValueError(value)
        if isinstance(value, list):
            if any(type(item) not in (int, float) for item in value):
                raise ValueError(value)
            return self.parse(",".join(map(repr, value)))
        return self.parse(value if isinstance(value, str) else repr(value))


@dataclass(frozen=True)
class FilesOrFalse(ValueKind):
    """A fixed number of files, or False for no files at all."""

    count: int = 2

    def read_saved(self, value: Any) -> Any:
        """A list of paths, or False."""
        if value is False:
            return False
        if type(value) is not list or len(value) != self.count:
            raise ValueError(value)
        return [PATH.read_saved(item) for item in value]


@dataclass(frozen=True)
class Several(ValueKind):
    """One value or several values of a kind: a value alone is a list of one value."""

    item: ValueKind = field(kw_only=True)

    def read_saved(self, value: Any) -> list[Any]:
        """The values of a list, or of a value alone."""
        if value == []:
            raise ValueError(value)
        return [self.item.read_saved(x) for x in (value if type(value) is list else [value])]


def several(item: ValueKind) -> Several:
    """One value or several values of a kind."""
    return Several(f"one or several: each {item.expected}", item.parse, item=item)


def whole(bounds: Bounds) -> ValueKind:
    """A whole number between two bounds. Numbers are read as Python reads them: 1_000 is 1000."""
    return ValueKind(
        f"a whole number from {bounds}",
        lambda text: _within(int(text), bounds),
        saved=(int,),
        bounds=bounds,
    )


def number(bounds: Bounds) -> ValueKind:
    """A number between two bounds. Numbers are read as Python reads them: 1e3 is 1000."""
    return ValueKind(
        f"a number from {bounds}",
        lambda text: _within(float(text), bounds),
        saved=(int, float),
        bounds=bounds,
    )


def choice(*words: str) -> ValueKind:
    """One of a few words."""
    return ValueKind(
        f"one of {', '.join(words)}", lambda text: words[words.index(text)], choices=words
    )


def _within(value: float, bounds: Bounds) -> float:
    if value not in bounds:
        raise ValueError(value)
    return value


def _sizes_around(text: str) -> str:
    """The one or two allowed sizes beside a number: "take 64 or 128"."""
    try:
        return f"take {' or '.join(map(str, SIZE.around(float(text))))}"
    except (ValueError, OverflowError):
        return ""


def _path(text: str) -> Path:
    os.fsencode(text)  # raises ValueError for characters that no file has in its name
    if not text or "\0" in text or len(text) > LONGEST_PATH:
        raise ValueError(text)
    return Path(text)


def _text(text: str) -> str:
    text.encode()  # raises ValueError for half a character, which no tokenizer takes
    if len(text) > LONGEST_TEXT:
        raise ValueError(text)
    return text


def _seed(text: str) -> int:
    seed = int(text)
    return _within(seed, SEED) if seed >= 0 else secrets.randbelow(LARGEST_DRAWN_SEED)


def _device(text: str) -> str:
    if not re.fullmatch(r"[a-z]+(:[0-9]{1,3})?", text):
        raise ValueError(text)
    return text


def _timing(text: str) -> str | list[float]:
    from ...timeline import parse_timing

    return parse_timing(text)


def _keyframes(text: str) -> list[int]:
    frames = [_within(int(number), _FRAME) for number in text.replace(",", " ").split()]
    if len(frames) < 2:
        raise ValueError(text)
    return frames


def _switch(text: str) -> bool:
    return (False, True)[("False", "True").index(text)]


_FRAME = Bounds(0, FRAMES.maximum - 1)
SIZE_KIND = ValueKind(
    f"a multiple of {SIZE.step} from {SIZE}",
    lambda text: _within(int(text), SIZE),
    saved=(int,),
    advice=_sizes_around,
    bounds=SIZE,
)
PATH = ValueKind(
    f"a path of 1 to {LONGEST_PATH} characters that a file may have in its name", _path
)
TWO_FILES = FilesOrFalse(f"a list of 2, each {PATH.expected}, or false", _path)
DEVICE = ValueKind("auto, cpu, cuda, cuda:1, mps, xpu or the like", _device)
TIMING = ValueKind(
    f"one of the timings {', '.join(TIMINGS)}, or {FRAMES} numbers in 0..1",
    _timing,
    saved=(str, list),
)
KEYFRAMES = ValueKind(
    f"2 numbers of frames or more, each {_FRAME}, for example 0,24,60", _keyframes, saved=(list,)
)
SWITCH = ValueKind("true or false", _switch, saved=(bool,))
TEXT = ValueKind(f"a text of at most {LONGEST_TEXT} characters", _text)
SEED_OR_DRAWN = ValueKind(
    f"a whole number from {SEED}, or a negative number, for which a seed is drawn",
    _seed,
    saved=(int,),
)
