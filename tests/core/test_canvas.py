import math

import numpy as np
import pytest

from fcvg_core.canvas import in_words, is_side


@pytest.mark.parametrize("length", [1, 64, 65_536, 512.0, np.int64(9), np.float32(100)])
def test_sides(length):
    assert is_side(length)


@pytest.mark.parametrize(
    "length",
    [0, -1, 65_537, 10**6, 10**400, 1.5, math.nan, math.inf, -math.inf, True, "64", None, [64], 1j],
)
def test_what_is_none(length):
    assert not is_side(length)


def test_in_words():
    assert in_words((480, 640)) == "640 x 480"
