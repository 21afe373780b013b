import pytest

from fcvg_core.quoting import (
    LONGEST,
    LONGEST_MESSAGE,
    first_names,
    in_short,
    quote,
    readable,
    shorten,
    unquoted,
)

DEEP: list = []
for _ in range(5000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a b", "'a b'"),
        (1.5, "1.5"),
        (None, "None"),
        ([1, "x"], "[1, 'x']"),
        ("\n\0", r"'\n\x00'"),
        (10**30, "1" + "0" * 30),
        pytest.param(-(10**5000), "a huge number", id="huge"),
        ([10**5000], "[a huge number]"),
    ],
)
def test_short_values_are_whole(value, expected) -> None:
    assert quote(value) == expected


@pytest.mark.parametrize(
    "value", ["x" * 10**6, list(range(10**5)), {str(i): i for i in range(999)}, 10**4000, DEEP]
)
def test_long_values_are_cut(value) -> None:
    assert len(quote(value)) <= LONGEST and "..." in quote(value)


def test_messages() -> None:
    assert shorten("one\n two") == "one two"
    assert shorten(f"got {'x' * 500} here") == f"got {'x' * (LONGEST - 3)}... here"
    assert len(shorten("word " * 10**5)) == LONGEST_MESSAGE


def test_long_lists_are_cut() -> None:
    assert in_short(["a", "b", "c"]) == "a; b; c"
    assert in_short(["a", "b", "c", "d", "e"]) == "a; b; c and 2 more"
    assert in_short(["a", "b", "c"], most=1, between=", ") == "a and 2 more"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("a.weight", "a.weight"),
        ("a\nb", r"a\nb"),
        (7, "7"),
        (2**64, "a large number"),
        (None, "None"),
        ((1, 2), "a tuple"),
        ("x" * 99, "x" * 77 + "..."),
    ],
)
def test_names(key, expected) -> None:
    assert unquoted(key) == expected


def test_first_names() -> None:
    assert first_names({"a": 1, "b": 2, "c": 3}) == "a, b" and first_names({}) == ""


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("There is no file \u00e9\U0001f600 b.", "There is no file \u00e9\U0001f600 b."),
        ("two\nlines", "two\nlines"),
        ("\x1b[31mred\r\x07", "\\x1b[31mred\\r\\x07"),
        ("\u202eabc", "\\u202eabc"),  # turns what follows around
        ("\udcff", "\\udcff"),
    ],
)
def test_readable(message, expected) -> None:
    assert readable(message) == expected


def test_readable_keeps_both_ends_of_a_line() -> None:
    shown = readable(f"There is no file {'a' * 4000}: name another.\nNext")
    assert shown.startswith("There is no file a") and shown.endswith("a: name another.\nNext")
    assert len(shown.splitlines()[0]) == 1000
