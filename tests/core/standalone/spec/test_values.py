"""What settings may hold."""

from pathlib import Path

import pytest

from fcvg_core.bounds import Bounds
from fcvg_core.errors import UserError
from fcvg_core.standalone.spec.values import (
    DEVICE,
    LONGEST_PATH,
    LONGEST_TEXT,
    PATH,
    SEED_OR_DRAWN,
    SIZE_KIND,
    TEXT,
    TIMING,
    number,
    several,
    whole,
)
from fcvg_core.timeline import TIMINGS

WHOLE, NUMBER = whole(Bounds(1, 1000)), number(Bounds(0.0, 30.0))
# An option's type, a text that can be typed, and what it gives.
GOOD = [
    (WHOLE, "1", 1),
    (WHOLE, "1_000", 1000),
    (WHOLE, " +5 ", 5),
    (NUMBER, "3e1", 30.0),
    (NUMBER, "0", 0.0),
    (SIZE_KIND, "4096", 4096),
    (PATH, "a b\n.png", Path("a b\n.png")),
    (DEVICE, "cuda:1", "cuda:1"),
    (TIMING, "0, .5 1", [0, 0.5, 1]),
    (TIMING, "ease-in", "ease-in"),
    (TEXT, "", ""),
    (TEXT, "a boat\n\u00e9", "a boat\n\u00e9"),
    (SEED_OR_DRAWN, "0", 0),
    (SEED_OR_DRAWN, str(2**64 - 1), 2**64 - 1),
]
BAD = [
    (WHOLE, ["", "0", "1001", "1e3", "1.0", "nan", "0x10", "1" * 5000, "true", "\0"]),
    (NUMBER, ["", "-1e-9", "30.1", "nan", "inf", "-inf", "1e400", "1,5", "x" * 10**6]),
    (SIZE_KIND, ["0", "-64", "63", "100", "4160", "64.0", "1e2"]),
    (PATH, ["", "a\0b", "x" * (LONGEST_PATH + 1), "\ud800"]),
    (DEVICE, ["", " cpu", "CPU", "cuda:-1", "cuda:", "cpu\n", "cuda:0:1", "\u0663"]),
    (TEXT, ["x" * (LONGEST_TEXT + 1), "\ud800"]),
    (SEED_OR_DRAWN, ["", "1.5", str(2**64), "x"]),
    (several(PATH), ["", "a\0b"]),
    (TIMING, ["", "ease", "0", "0,2", "0,nan", ",".join(["0.5"] * 1025), "0," * 10**5]),
]
BAD = [(kind, text) for kind, texts in BAD for text in texts]
# Of each type, JSON values that are of another kind, such as a text for a number.
WRONG_KIND = [
    (WHOLE, ["5", 5.0, True, None, [5], {"a": 5}]),
    (NUMBER, ["3.0", False, None, [3.0], float("nan"), float("inf")]),
    (SIZE_KIND, ["64", 64.0, True]),
    (PATH, [5, True, None, ["a"]]),
    (DEVICE, [0, None, ["cpu"]]),
    (TIMING, [0.5, True, ["0", "1"], [True, False], [0, None], [[0, 1]], {"0": 1}, []]),
    (TIMING, [[0, 10**5000]]),
    (TEXT, [5, True, None, ["a"]]),
    (SEED_OR_DRAWN, ["5", 5.0, True, None, [5]]),
    (several(PATH), [5, None, [], ["a", 5], [["a"]], {"a": 5}, ("a",)]),
]
WRONG_KIND = [(kind, value) for kind, values in WRONG_KIND for value in values]


@pytest.mark.parametrize(("kind", "text", "expected"), GOOD)
def test_what_is_typed(kind, text, expected) -> None:
    value = kind(text)
    assert value == expected and type(value) is type(expected)


@pytest.mark.parametrize(("kind", "text"), BAD, ids=lambda value: repr(value)[:20])
def test_what_can_not_be_typed(kind, text) -> None:
    with pytest.raises(UserError, match="^expected .* got ") as raised:
        kind(text)
    assert len(str(raised.value)) < 250


@pytest.mark.parametrize(("kind", "text", "expected"), GOOD)
def test_a_value_is_saved_and_read_again(kind, text, expected) -> None:
    saved = str(expected) if isinstance(expected, Path) else expected
    assert kind.read_saved(saved) == expected


@pytest.mark.parametrize(("kind", "value"), WRONG_KIND)
def test_values_of_another_kind(kind, value) -> None:
    with pytest.raises(ValueError):
        kind.read_saved(value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (WHOLE, 0),
        (WHOLE, 10**9),
        (NUMBER, 31),
        (NUMBER, -0.1),
        (SIZE_KIND, 100),
        (PATH, ""),
        (TIMING, [0, 2]),
        (TIMING, [0.5] * 1025),
        (TIMING, "ease"),
        (DEVICE, "CPU"),
    ],
)
def test_saved_values_out_of_bounds(kind, value) -> None:
    with pytest.raises(ValueError):
        kind.read_saved(value)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("100", "take 64 or 128"),
        ("10", "take 64"),
        ("-5", "take 64"),
        ("5000", "take 4096"),
        ("1e2", "take 64 or 128"),
    ],
)
def test_sizes_nearby(text, advice) -> None:
    with pytest.raises(UserError) as raised:
        SIZE_KIND(text)
    assert str(raised.value) == (f"expected a multiple of 64 from 64 to 4096, got {text}: {advice}")


def test_all_timings_are_named() -> None:
    assert f"one of the timings {', '.join(TIMINGS)}," in TIMING.expected


def test_a_seed_is_drawn_for_a_negative_number() -> None:
    drawn = {SEED_OR_DRAWN("-1") for _ in range(5)} | {SEED_OR_DRAWN.read_saved(-5)}
    assert len(drawn) > 1 and all(0 <= seed < 2**31 for seed in drawn)


def test_a_value_alone_is_a_list_of_one() -> None:
    assert several(PATH).read_saved("a") == [Path("a")] and several(PATH)("a") == Path("a")
    assert several(TEXT).read_saved(["a", ""]) == ["a", ""]
