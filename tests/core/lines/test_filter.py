"""Matches that meet the criteria of a filter."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from fcvg_core.frames import crop_resize
from fcvg_core.lines import LineMatches
from fcvg_core.lines.filter import MatchFilter, drop_points, filter_matches, select_matches

SIZE = (100, 200)


def matches(lines0, lines1, scores=None):
    tensors = [torch.tensor(x, dtype=torch.float32).reshape(-1, 2, 2) for x in (lines0, lines1)]
    scores = None if scores is None else torch.tensor(scores)
    return LineMatches(*tensors, size=SIZE, scores=scores)


TWO = matches(
    [[[0, 10], [30, 10]], [[50, 50], [50, 60]]],
    [[[5, 10], [35, 10]], [[150, 50], [150, 90]]],
    [0.9, 0.3],
)


@pytest.mark.parametrize(
    ("criteria", "kept"),
    [
        ({}, 2),
        ({"min_score": 0.5}, 1),
        ({"min_length": 20.0}, 1),  # the shorter segment of the pair counts
        ({"max_motion": 0.1}, 1),
        ({"max_motion": 0.0}, 0),
    ],
)
def test_one_criterion(criteria, kept):
    assert len(filter_matches(TWO, MatchFilter(**criteria)).lines0) == kept


def test_scores_stay_with_their_matches():
    assert filter_matches(TWO, MatchFilter(max_motion=0.1)).scores.tolist() == pytest.approx([0.9])


@pytest.mark.parametrize("shape", [SIZE, (10, 20)])
def test_masks_of_either_keyframe(shape):
    left = torch.zeros(shape)
    left[:, : shape[1] // 5] = 1.0
    assert filter_matches(TWO, MatchFilter(), mask0=left).lines0[0, 0].tolist() == [0.0, 10.0]
    assert len(filter_matches(TWO, MatchFilter(), mask1=1 - left).lines0) == 1


def test_lines_in_a_mask_are_removed():
    left = torch.zeros(SIZE)
    left[:, :40] = 1.0
    criteria = MatchFilter(mask="remove")
    assert filter_matches(TWO, criteria, mask0=left).ids.tolist() == [1]
    assert filter_matches(TWO, criteria, mask1=left).ids.tolist() == [1]
    assert filter_matches(TWO, criteria, mask1=1 - left).ids.tolist() == [0]


@pytest.mark.parametrize("shape", [(100, 300), (300, 200)])
def test_mask_of_another_shape_is_cropped_as_a_picture(shape):
    picture = np.zeros((*shape, 3), np.uint8)
    picture[: shape[0] // 2, : shape[1] // 2] = 255
    cropped = crop_resize(picture, SIZE)[..., 0] > 127
    points = torch.rand(50, 1, 2, generator=torch.Generator().manual_seed(0)) * 98 + 1
    lines = points + torch.tensor([[-1.0, 0.0], [1.0, 0.0]])
    mask = torch.from_numpy(picture[..., 0] / 255).float()
    kept = filter_matches(LineMatches(lines, lines, size=SIZE), MatchFilter(), mask0=mask)
    columns, rows = points[:, 0].long().T.numpy()
    assert kept.ids.tolist() == np.flatnonzero(cropped[rows, columns]).tolist()
    assert 0 < len(kept.ids) < 50


def test_points_are_no_lines():
    """A match stays if it has a length in one of the two frames."""
    point, line = [[5, 5], [5, 5]], [[5, 5], [9, 5]]
    some = matches([point, point, line], [line, point, point])
    assert drop_points(some).ids.tolist() == [0, 2] and drop_points(some).num_matched == 3
    assert filter_matches(some, MatchFilter()).ids.tolist() == [0, 2]
    assert drop_points(matches([], [])).ids.tolist() == []


def test_what_belongs_to_a_match_stays_with_it():
    numbered = replace(
        TWO, ids=torch.tensor([7, 3]), num_matched=20, found=(30, 40), line_notes={3: {"a": 1}}
    )
    kept = select_matches(numbered, torch.tensor([False, True]))
    assert kept.ids.tolist() == [3] and kept.num_matched == 20 and kept.found == (30, 40)
    assert kept.line_notes == {3: {"a": 1}}


@pytest.mark.parametrize("fit", ["affine", "homography"])
def test_outliers_against_a_robust_motion(fit):
    generator = torch.Generator().manual_seed(0)
    start = torch.rand(30, 2, 2, generator=generator) * 90
    end = start * 1.1 + 4
    end[3] += 60
    end[7] = end[7].flip(0)  # ends come swapped: no outlier
    found = filter_matches(LineMatches(start, end, size=SIZE), MatchFilter(fit=fit, tolerance=3.0))
    assert len(found.lines0) == 29
    assert not (found.lines0 == start[3]).all(dim=(1, 2)).any()


@pytest.mark.parametrize("fit", ["none", "affine", "homography"])
def test_few_or_no_matches_are_kept(fit):
    none = matches([], [])
    assert len(filter_matches(none, MatchFilter(fit=fit)).lines0) == 0
    one = select_matches(TWO, torch.tensor([True, False]))
    assert len(filter_matches(one, MatchFilter(fit=fit)).lines0) == 1


@pytest.mark.parametrize("fit", ["affine", "homography"])
def test_matches_that_have_no_motion_in_common_are_kept(fit):
    """All of their ends lie in one point of the first frame: no motion follows from that."""
    point = torch.full((5, 2, 2), 20.0)
    line = torch.tensor([[[20.0, 20.0], [60.0, 20.0]]]).expand(5, 2, 2)
    found = filter_matches(LineMatches(point, line, size=SIZE), MatchFilter(fit=fit))
    assert len(found.lines0) == 5


@pytest.mark.parametrize("fit", ["affine", "homography"])
@pytest.mark.parametrize("seed", [1, 12345])
def test_opencvs_random_numbers_are_left_to_others(fit, seed):
    generator = torch.Generator().manual_seed(3)
    start = torch.rand(40, 2, 2, generator=generator) * 90
    end = start * 1.2 + torch.randn(40, 2, 2, generator=generator)
    end[::3] += torch.rand(14, 1, 2, generator=generator) * 50
    moved = LineMatches(start, end, size=SIZE)
    criteria = MatchFilter(fit=fit, tolerance=3.0)
    expected = filter_matches(moved, criteria).lines0
    cv2.setRNGSeed(seed)
    following = cv2.randu(np.zeros((2, 8)), 0, 1).copy()
    cv2.setRNGSeed(seed)
    found = filter_matches(moved, criteria).lines0
    assert np.array_equal(cv2.randu(np.zeros((2, 8)), 0, 1), following)
    assert 10 < len(found) < 40 and torch.equal(found, expected)


def test_unknown_fit():
    with pytest.raises(ValueError, match="none, affine, homography, got 'spline'"):
        MatchFilter(fit="spline")


def test_unknown_use_of_a_mask():
    with pytest.raises(ValueError, match="a mask of keep, remove, got 'hide'"):
        MatchFilter(mask="hide")


@pytest.mark.parametrize("shape", [(100, 300), (100, 100), (30, 90)])
@pytest.mark.parametrize("kind", [torch.bool, torch.uint8, torch.float16, torch.float64])
def test_masks_of_any_type(shape, kind):
    upper = torch.zeros(shape, dtype=kind)
    upper[: shape[0] // 2] = 1
    assert filter_matches(TWO, MatchFilter(), mask0=upper).ids.tolist() == [0]
