"""Where lines and people of one span are at any time."""

import itertools
from dataclasses import replace

import pytest
import torch
from drawn_people import walker

from fcvg_core.lines import LineMatches, interpolate_lines
from fcvg_core.motion import Camera, Region, Span, lines_at, people_at
from fcvg_core.motion.moved_lines import carry_lines
from fcvg_core.motion.tracks import move_points
from fcvg_core.pose import Poses, interpolate_poses
from fcvg_core.timeline import inbetween_times

SIZE = (96, 160)
TIMES = inbetween_times(7, "uniform")
TURN = Camera(pan=(0.1, 0.05), zoom=1.4, rotate=130, tilt=(8, -4))
LEFT = Region(0, [[0, 0], [80, 0], [80, 96], [0, 96]])
CHOICES = [
    {"missing_joints": joints, "missing_people": people}
    for joints, people in itertools.product(("hide", "hold"), ("fade", "drop"))
]


def random_lines(count: int = 20, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 2, 2, generator=generator) * torch.tensor(SIZE[::-1])


def random_matches(**values) -> LineMatches:
    return LineMatches(random_lines(), random_lines(seed=1), SIZE, **values)


def random_people() -> tuple[Poses, Poses]:
    generator = torch.Generator().manual_seed(0)
    points = (torch.rand(count, 134, 2, generator=generator) for count in (3, 2))
    return tuple(Poses(x, torch.rand(len(x), 134, generator=generator)) for x in points)


def same(one: Poses, other: Poses) -> bool:
    columns = ("keypoints", "scores", "brightness")
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in columns)


class TestNothingNew:
    """Two keyframes without a camera and regions: bit for bit what they were."""

    def test_lines(self) -> None:
        span = Span(matches=random_matches())
        assert torch.equal(lines_at(span, TIMES), interpolate_lines(span.matches, TIMES))

    @pytest.mark.parametrize("choices", CHOICES)
    @pytest.mark.parametrize("pairs", [None, torch.tensor([[2, 0]])])
    def test_people(self, choices, pairs) -> None:
        people = random_people()
        track = people_at(Span(people=people, pairs=pairs), TIMES, SIZE, **choices)
        assert same(track, interpolate_poses(*people, TIMES, pairs=pairs, **choices))


class TestLinesUnderACamera:
    def test_a_still_world_follows_the_homography(self) -> None:
        lines = random_lines()
        for kept in (None, torch.ones(len(lines), dtype=torch.bool)):
            matches = LineMatches(lines, carry_lines(lines, TURN, SIZE), SIZE, kept_ends=kept)
            track = lines_at(Span(matches=matches, camera=TURN), TIMES)
            for frame, way in zip(track, TURN.at(TIMES, SIZE), strict=True):
                assert torch.allclose(frame.double(), move_points(way, lines), atol=1e-3)

    def test_the_ends_are_exactly_the_keyframes(self) -> None:
        matches = random_matches(kept_ends=torch.ones(20, dtype=torch.bool))
        track = lines_at(Span(matches=matches, camera=TURN), TIMES)
        assert track.dtype == matches.lines0.dtype
        assert torch.equal(track[0], matches.lines0) and torch.equal(track[-1], matches.lines1)

    def test_the_formula(self) -> None:
        matches = random_matches(kept_ends=torch.ones(20, dtype=torch.bool))
        back = TURN.at(torch.ones(1), SIZE)[0].inverse()
        own = matches.lines0.double() + 0.3 * (
            move_points(back, matches.lines1) - matches.lines0.double()
        )
        expected = move_points(TURN.at(torch.tensor([0.3]).double(), SIZE)[0], own)
        track = lines_at(Span(matches=matches, camera=TURN), torch.tensor([0.3]).double())
        assert torch.allclose(track[0].double(), expected, atol=1e-3)

    def test_a_camera_that_stands_still(self) -> None:
        matches = random_matches()
        track = lines_at(Span(matches=matches, camera=Camera()), TIMES)
        assert torch.allclose(track, interpolate_lines(matches, TIMES), atol=1e-4)

    def test_ends_that_the_matcher_swapped(self) -> None:
        lines = random_lines()
        carried = carry_lines(lines, TURN, SIZE)
        spans = (
            Span(matches=LineMatches(lines, ends, SIZE), camera=TURN)
            for ends in (carried, carried.flip(1))
        )
        one, other = (lines_at(span, TIMES) for span in spans)
        assert torch.equal(one, other) and torch.equal(one[-1], carried)

    def test_ends_that_the_user_keeps(self) -> None:
        """They change places on their own way, against the camera's move."""
        lines = random_lines()
        matches = LineMatches(lines, carry_lines(lines, TURN, SIZE).flip(1), SIZE)
        kept = replace(matches, kept_ends=torch.ones(20, dtype=torch.bool))
        for each, turns in ((matches, False), (kept, True)):
            track = lines_at(Span(matches=each, camera=TURN), TIMES)
            last = each.lines1 if turns else each.lines1.flip(1)
            assert torch.allclose(track[-1], last, atol=1e-3)

    def test_lines_of_a_region_follow_no_camera(self) -> None:
        matches = random_matches()
        held = LEFT.contains(matches.lines0.numpy()).all(axis=1)
        assert 0 < held.sum() < len(held)
        track = lines_at(Span(matches=matches, camera=TURN, holds=(LEFT,)), TIMES)
        free = lines_at(Span(matches=matches, camera=TURN), TIMES)
        assert torch.equal(track[:, held], matches.lines0[held].expand(7, -1, 2, 2))
        assert torch.equal(track[:, ~held], free[:, ~held])

    def test_what_lies_behind_the_camera_is_not_drawn(self) -> None:
        far = torch.tensor([[[-4000.0, 50], [-4000, 60]], [[80, 40], [90, 50]]])
        matches = LineMatches(far, far, SIZE)
        track = lines_at(Span(matches=matches, camera=Camera(tilt=(25, 0))), TIMES)
        assert track[3, 0].isnan().all() and track[:, 1].isfinite().all()


class TestPeopleUnderACamera:
    @pytest.mark.parametrize("choices", CHOICES)
    @pytest.mark.parametrize("holds", [(), (LEFT,)])
    def test_a_camera_that_stands_still(self, choices, holds) -> None:
        people = random_people()
        bent = people_at(Span(people=people, camera=Camera(), holds=holds), TIMES, SIZE, **choices)
        plain = people_at(Span(people=people, holds=holds), TIMES, SIZE, **choices)
        assert torch.allclose(bent.keypoints, plain.keypoints, atol=1e-9)
        assert torch.equal(bent.scores, plain.scores)
        assert torch.equal(bent.brightness, plain.brightness)

    def test_a_still_person_follows_the_homography_but_not_in_a_region(self) -> None:
        pixels = torch.tensor(SIZE[::-1]).double()
        first = walker(0.0)
        way = TURN.at(TIMES, SIZE)
        last = Poses(move_points(way[-1], first.keypoints * pixels) / pixels, first.scores)
        held = torch.from_numpy(LEFT.contains((first.keypoints * pixels).numpy())[0])
        assert held.any() and not held.all()
        for holds, still in (((), torch.zeros_like(held)), ((LEFT,), held)):
            span = Span(people=(first, last), camera=TURN, holds=holds)
            track = people_at(span, TIMES, SIZE, **CHOICES[0]).keypoints[:, 0]
            expected = move_points(way[:, None], first.keypoints[0] * pixels) / pixels
            assert torch.allclose(track[:, ~still], expected[:, ~still], atol=1e-9)
            assert torch.equal(track[:, still], first.keypoints[0, still].expand(7, -1, 2))

    def test_the_ends_are_exactly_the_keyframes(self) -> None:
        first, last = walker(0.0), walker(1.0, at=(0.3, 0.6))
        track = people_at(Span(people=(first, last), camera=TURN), TIMES, SIZE, **CHOICES[0])
        assert same(track.frame(0), first) and same(track.frame(-1), last)

    def test_who_fades_moves_with_the_camera(self) -> None:
        nobody = random_people()[1].people([])
        first = walker(0.0)
        pan = Camera(pan=(0.5, 0.0))
        leaving = people_at(Span(people=(first, nobody), camera=pan), TIMES, SIZE, **CHOICES[0])
        moved = leaving.keypoints[3, 0] - first.keypoints[0]
        assert torch.allclose(moved, torch.tensor([0.25, 0.0]).double())
        coming = people_at(Span(people=(nobody, first), camera=pan), TIMES, SIZE, **CHOICES[0])
        moved = coming.keypoints[3, 0] - first.keypoints[0]
        assert torch.allclose(moved, torch.tensor([-0.25, 0.0]).double())
        assert coming.brightness[:, 0].tolist() == TIMES.tolist()

    def test_who_comes_is_not_held_but_who_leaves_is(self) -> None:
        """A region holds what the first keyframe shows in it."""
        nobody = random_people()[1].people([])
        whole = Region(0, [[-99, -99], [999, -99], [999, 999], [-99, 999]])
        for people, is_held in (((walker(0.0), nobody), True), ((nobody, walker(0.0)), False)):
            free, kept = (
                people_at(Span(people=people, camera=TURN, holds=x), TIMES, SIZE, **CHOICES[0])
                for x in ((), (whole,))
            )
            assert torch.equal(kept.keypoints, kept.keypoints[:1].expand(7, -1, -1, -1)) == is_held
            assert same(free, kept) != is_held
