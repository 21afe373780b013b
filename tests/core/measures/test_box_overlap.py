"""Overlaps of boxes, by hand."""

import numpy as np
import pytest

from fcvg_core.measures import agreement, overlaps

BOX = [0.0, 0.0, 4.0, 2.0]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (BOX, 1),
        ([0, 0, 4, 1], 0.5),
        ([2, 0, 6, 2], 4 / 12),
        ([1, 0.5, 2, 1.5], 1 / 8),
        ([4, 0, 6, 2], 0),  # they touch
        ([9, 9, 10, 10], 0),
        ([0, 0, 0, 0], 0),  # absent
    ],
)
def test_overlaps(other, expected) -> None:
    assert overlaps(np.array(BOX), np.array(other)) == pytest.approx(expected)
    assert overlaps(np.array(other), np.array(BOX)) == pytest.approx(expected)


def test_two_absent_boxes() -> None:
    assert overlaps(np.zeros((3, 4)), np.zeros((3, 4))).tolist() == [0, 0, 0]


def test_agreement() -> None:
    found = agreement(np.array([1, 0.5, 0.75, 0.8]))
    assert found.frames == 4 and found.average_overlap == pytest.approx(0.7625)
    assert (found.success_50, found.success_75) == (0.75, 0.5)  # equal is no success


def test_bad() -> None:
    with pytest.raises(ValueError, match="of one shape"):
        overlaps(np.zeros((3, 4)), np.zeros((2, 4)))
    with pytest.raises(ValueError, match="of one shape"):
        overlaps(np.zeros(3), np.zeros(3))
    with pytest.raises(ValueError, match="at least one overlap"):
        agreement(np.zeros(0))
