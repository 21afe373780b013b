"""When frames are shown."""

from fractions import Fraction
from types import SimpleNamespace

import pytest

from fcvg_core.video import frame_rate, start_of


@pytest.mark.parametrize(
    ("average", "guessed", "want"),
    [
        (Fraction(30), Fraction(25), 30),
        (None, Fraction(25), 25),
        (None, None, 24),
        (Fraction(10**9), None, 24),
        (Fraction(1, 10**9), None, 24),
    ],
)
def test_frame_rate(average, guessed, want) -> None:
    """A file may say nothing, or what no video can have."""
    assert frame_rate(SimpleNamespace(average_rate=average, guessed_rate=guessed)) == want


@pytest.mark.parametrize(("start", "want"), [(None, 0), (0, 0), (18000, 0.2)])
def test_start(start, want) -> None:
    assert start_of(SimpleNamespace(start_time=start, time_base=Fraction(1, 90000))) == want
