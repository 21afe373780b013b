"""Means and worst frames."""

import math

import numpy as np
import pytest

from fcvg_core.measures import MEASURES, between, mean_value, worst_index


def test_both_ends_are_left_out():
    assert between(np.array([9.0, 1, 2, 9])).tolist() == [1, 2]


class TestMeanValue:
    def test_of_plain_numbers(self):
        assert mean_value(np.array([1.0, 2, 6])) == 3

    def test_one_equal_frame_does_not_hide_the_others(self):
        assert mean_value(np.array([20, 30, math.inf])) == pytest.approx((20 + 30 + 100) / 3)

    def test_only_equal_frames(self):
        assert mean_value(np.array([math.inf, math.inf])) == math.inf

    def test_large_differences_are_no_psnr(self):
        assert mean_value(np.array([200.0, 250.0])) == 225


@pytest.mark.parametrize(("name", "worst"), [("psnr", 1), ("ssim", 1), ("lpips", 2), ("jitter", 2)])
def test_the_worst_frame(name, worst):
    assert worst_index(name, np.array([5.0, 2.0, 7.0])) == worst
    assert MEASURES[name].higher_is_better == (worst == 1)
