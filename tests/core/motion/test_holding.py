"""What begins in a region stands still."""

import numpy as np
import pytest
import torch
from drawn_people import walker

from fcvg_core.lines import LineMatches, interpolate_lines
from fcvg_core.motion import Region, Span, held_mask, hold_still
from fcvg_core.paths import Path, path_points
from fcvg_core.pose import Poses, is_seen, match_people

SIZE = (100, 200)
LEFT = Region(0, [[0, 0], [100, 0], [100, 100], [0, 100]])
INSIDE = [[10.0, 10.0], [60.0, 20.0]]
ACROSS = [[10.0, 10.0], [160.0, 20.0]]
OUTSIDE = [[150.0, 10.0], [160.0, 20.0]]
TIMES = torch.linspace(0, 1, 5)


def moved(lines: list) -> list:
    return [[x + 25, y + 30] for x, y in lines]


def matches() -> LineMatches:
    lines = [INSIDE, ACROSS, OUTSIDE, INSIDE]
    return LineMatches(torch.tensor(lines), torch.tensor([*map(moved, lines)]), SIZE)


class TestLines:
    def test_both_ends_inside(self) -> None:
        held = hold_still(Span(matches=matches(), holds=(LEFT,)), SIZE)
        track = interpolate_lines(held.matches, TIMES)
        free = interpolate_lines(matches(), TIMES)
        assert torch.equal(track[:, 0], matches().lines0[0].expand(5, 2, 2))
        assert torch.equal(track[:, 1:3], free[:, 1:3])
        assert held.matches.kept_ends.tolist() == [True, False, False, True]

    def test_ends_in_two_regions(self) -> None:
        right = Region(1, [[100, 0], [200, 0], [200, 100]])
        held = hold_still(Span(matches=matches(), holds=(LEFT, right)), SIZE)
        assert torch.equal(held.matches.lines1[:2], matches().lines0[:2])

    def test_without_regions_it_is_the_same_value(self) -> None:
        span = Span(matches=matches(), people=(walker(0), walker(1)))
        assert hold_still(span, SIZE) is span

    def test_the_regions_stay_and_nothing_is_written_into_the_span(self) -> None:
        before = matches()
        span = Span(matches=before, holds=(LEFT,))
        assert hold_still(span, SIZE).holds == (LEFT,)
        assert torch.equal(before.lines1, matches().lines1)

    def test_no_line_at_all(self) -> None:
        held = hold_still(Span(holds=(LEFT,)), SIZE)
        assert held.matches is None and held.people is None


class TestPeople:
    HEAD = Region(0, [[0, -50], [200, -50], [200, 40], [0, 40]])  # the upper part of the frame

    def test_joints_that_begin_inside(self) -> None:
        first, last = walker(0.0), walker(1.5, at=(0.6, 0.6))
        held = hold_still(Span(people=(first, last), holds=(self.HEAD,)), SIZE)
        inside = first.keypoints[0, :, 1] * SIZE[0] < 40
        assert inside.any() and not inside.all() and held.people[0] is first
        points = held.people[1].keypoints[0]
        assert torch.equal(points[inside], first.keypoints[0, inside])
        assert torch.equal(points[~inside], last.keypoints[0, ~inside])
        assert torch.equal(last.keypoints, walker(1.5, at=(0.6, 0.6)).keypoints)

    def test_what_the_last_keyframe_hides_is_held_all_the_same(self) -> None:
        first, last = walker(0.0), walker(0.0)
        last = Poses(
            last.keypoints, torch.zeros_like(last.scores).index_fill(1, torch.tensor([2]), 1)
        )
        held = hold_still(Span(people=(first, last), holds=(self.HEAD,)), SIZE).people[1]
        inside = first.keypoints[0, :, 1] * SIZE[0] < 40
        assert torch.equal(is_seen(held)[0], inside | (torch.arange(134) == 2))

    def test_what_the_first_keyframe_hides_is_free(self) -> None:
        first, last = walker(0.0), walker(0.5)
        first = Poses(first.keypoints, first.scores.index_fill(1, torch.tensor([0]), 0))
        held = hold_still(Span(people=(first, last), holds=(self.HEAD,)), SIZE).people[1]
        assert torch.equal(held.keypoints[0, 0], last.keypoints[0, 0])
        assert held.scores[0, 0] == last.scores[0, 0]

    def test_pairs_are_those_who_move(self) -> None:
        """Held joints must not decide who is who."""
        people = [walker(0, at=(x, 0.5), reach=(0.1, 0.4)) for x in (0.2, 0.8, 0.25, 0.75)]
        first, last = (
            Poses(*(torch.cat([getattr(x, n) for x in row]) for n in ("keypoints", "scores")))
            for row in (people[:2], people[3:1:-1])
        )
        everything = Region(0, [[0, 0], [200, 0], [200, 100], [0, 100]])
        held = hold_still(Span(people=(first, last), holds=(everything,)), SIZE)
        assert held.pairs.tolist() == match_people(first, last).tolist() == [[0, 1], [1, 0]]
        assert torch.equal(held.people[1].keypoints, first.keypoints.flip(0))
        crossed = Span(people=(first, last), pairs=torch.tensor([[0, 0]]), holds=(everything,))
        held = hold_still(crossed, SIZE)
        assert held.pairs.tolist() == [[0, 0]]
        assert torch.equal(held.people[1].keypoints[0], first.keypoints[0])
        assert torch.equal(held.people[1].keypoints[1], last.keypoints[1])


def test_paths_that_begin_inside_stand_still() -> None:
    ways = [[[20, 20], [30, 20], [40, 20], [150, 20]], [[150, 20], [140, 20], [130, 20], [20, 20]]]
    paths = tuple(Path(i, torch.tensor(way), "ease-in") for i, way in enumerate(ways))
    held = hold_still(Span(paths=paths, holds=(LEFT,)), SIZE).paths
    points = path_points(held, TIMES)
    assert points[:, 0].tolist() == [[20, 20]] * 5
    assert torch.equal(points[:, 1], path_points(paths, TIMES)[:, 1])
    assert [path.id for path in held] == [0, 1] and held[0].speed == "ease-in"


class TestMask:
    def test_regions_together(self) -> None:
        corner = Region(1, [[190, 90], [200, 90], [200, 100], [190, 100]])
        mask = held_mask((LEFT, corner), SIZE)
        assert mask.dtype == np.float32 and mask.sum() == 100 * 100 + 10 * 10
        assert mask[:, :100].all() and mask[90:, 190:].all()

    def test_a_soft_border(self) -> None:
        mask = held_mask((LEFT,), SIZE, feather=10)
        assert mask[:, :100].min() == 1 and np.allclose(
            mask[50, 100:111], 1 - np.arange(1, 12).clip(max=10) / 10
        )
        assert mask.dtype == np.float32 and not mask[:, 110:].any()

    @pytest.mark.parametrize("feather", [0.0, 5.0])
    def test_nothing_is_held(self, feather) -> None:
        outside = Region(0, [[-50, -50], [-40, -50], [-40, -40]])
        for holds in ((), (outside,)):
            assert not held_mask(holds, SIZE, feather).any()
