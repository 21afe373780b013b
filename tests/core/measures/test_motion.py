"""Jitter of frames, against values by hand."""

import numpy as np
import pytest

from fcvg_core.measures import jitter


def flat(*levels):
    return np.stack([np.full((4, 4, 3), level, np.uint8) for level in levels])


class TestJitter:
    @pytest.mark.parametrize(
        ("levels", "by_hand"),
        [
            ((100, 100, 100), 0),  # nothing moves
            ((0, 100, 200), 0),  # a fade
            ((0, 255, 0), 255),  # the largest flicker, which must not wrap around
            ((255, 0, 255), 255),
            ((10, 20, 20), 5),  # a motion that stops
        ],
    )
    def test_values_by_hand(self, levels, by_hand):
        assert jitter(flat(*levels))[1] == by_hand

    def test_a_frame_without_two_neighbours_has_none(self):
        assert np.isnan(jitter(flat(1, 2, 3, 9))).tolist() == [True, False, False, True]
        assert np.isnan(jitter(flat(1, 2))).all() and jitter(flat(1, 2)[:0]).shape == (0,)

    def test_flicker_counts_more_than_steady_light(self):
        light = np.linspace(0, 200, 9).astype(np.uint8)
        steady, flickering = flat(*light), flat(*(light + 20 * (np.arange(9) % 2)))
        assert np.nanmax(jitter(steady)) < 1 < 19 < np.nanmin(jitter(flickering))

    def test_other_arrays_are_refused(self):
        with pytest.raises(ValueError, match=r"expected frames \[T, H, W, 3\] uint8"):
            jitter(flat(1, 2, 3).astype(float))
