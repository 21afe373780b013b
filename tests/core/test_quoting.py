import pytest

from fcvg_core.quoting import LONGEST, LONGEST_MESSAGE, quote, shorten

DEEP: list = []
for _ in range(5000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a b", "'a b'"), (1.5, "1.5"), (None, "None"), ([1, "x"], "[1, 'x']"), ("\n\0", r"'\n\x00'"),
     (10**30, "1" + "0" * 30)],
)  # fmt: skip
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
