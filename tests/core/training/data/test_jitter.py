"""Control frames that vary by chance: strokes left out, shifted, or along the clip's own frames."""

import numpy as np
import pytest
import torch
from clip_motions import COUNT, draw_clip, make_finders
from drawn_people import walker

from fcvg_core.lines import LineMatches
from fcvg_core.motion import LineTrack, Motion, MotionTrack, Span
from fcvg_core.pose import Poses
from fcvg_core.pose.skeleton import FACE, LEFT_HAND, RIGHT_HAND
from fcvg_core.training.config import Conditions
from fcvg_core.training.data.jitter import draw_control, leave_out, shift
from fcvg_core.training.data.motion import ClipMotion, find_clip_motion

SIZE = (64, 128)
STILL = Conditions(dropped=0.0, jitter=0.0)


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make_track(count: int, frames: int = 5) -> MotionTrack:
    """Lines with the ids 2, 3, ... and as many people, who stand still."""
    lines = torch.rand(1, count, 2, 2, generator=chance()).repeat(frames, 1, 1, 1) * 60
    points = torch.rand(1, count, 134, 2, generator=chance()).repeat(frames, 1, 1, 1).double()
    people = Poses(points, torch.ones(frames, count, 134))
    return MotionTrack(SIZE, LineTrack(lines, torch.arange(count) + 2, count + 2), people, None)


@pytest.fixture(scope="module")
def motion() -> ClipMotion:
    """Lines and a person, at the ends and along the clip."""
    clip = draw_clip()
    return find_clip_motion(clip, Conditions(true_share=0.5), make_finders(clip))


class TestDrawControl:
    def test_follows_from_the_generator(self, motion) -> None:
        conditions = Conditions(dropped=0.3)
        drawn = [draw_control(motion, conditions, COUNT, chance(seed)) for seed in (1, 1, 2)]
        assert np.array_equal(drawn[0], drawn[1]) and not np.array_equal(drawn[0], drawn[2])

    def test_colours_alone(self, motion) -> None:
        """Of inference the colours are arbitrary too."""
        plain, other = (draw_control(motion, STILL, COUNT, x) for x in (None, chance()))
        assert not np.array_equal(plain, other)
        assert np.array_equal(plain.any(-1), other.any(-1))

    def test_left_out_and_shifted(self, motion) -> None:
        plain = draw_control(motion, STILL, COUNT, None).any(-1)
        fewer = draw_control(motion, Conditions(dropped=0.4, jitter=0.0), COUNT, chance()).any(-1)
        assert not (fewer & ~plain).any() and 0.1 < fewer.sum() / plain.sum() < 0.9
        moved = draw_control(motion, Conditions(dropped=0.0, jitter=2.0), COUNT, chance()).any(-1)
        assert (moved & ~plain).any() and 0.8 < moved.sum() / plain.sum() < 1.2

    def test_true_frames(self, motion) -> None:
        """Where frames of the clip are looked at, the strokes are those found there."""
        conditions = Conditions(dropped=0.0, jitter=0.0, true_share=1.0)
        control = draw_control(motion, conditions, COUNT, chance())
        first, second = motion.chain.spans
        here = ClipMotion(Motion(motion.chain.size, (Span(second.matches, first.people[1:] * 2),)))
        frame = draw_control(here, STILL, 2, None)[0].any(-1)
        shared = (control[4].any(-1) & frame).sum()
        assert shared > 0.8 * frame.sum()  # a line of both spans lies where the first has it
        between = draw_control(motion, STILL, COUNT, None)[4].any(-1)
        assert (between & frame).sum() < 0.8 * frame.sum()

    def test_share_of_true_frames(self) -> None:
        """A clip whose ends have one line, and whose way has another."""

        def still(line: list) -> Span:
            lines = torch.tensor([line], dtype=torch.float32)
            return Span(LineMatches(lines, lines, size=SIZE))

        above, below = still([[9, 9], [99, 9]]), still([[9, 50], [99, 50]])
        motion = ClipMotion(Motion(SIZE, (above,)), Motion(SIZE, (below, below)), (0, 1, 2))
        conditions = Conditions(true_share=0.25)
        true = [draw_control(motion, conditions, 3, chance(i))[1, 32:].any() for i in range(100)]
        assert 13 <= sum(true) <= 37
        assert not draw_control(motion, Conditions(true_share=1.0), 3, None)[:, 32:].any()
        held = Conditions(true_share=1.0, timing=(0.0, 0.0, 1.0))  # of the ends' motion alone
        assert draw_control(motion, held, 3, chance())[1, 32:].any()
        known = ClipMotion(motion.ends)
        assert draw_control(known, Conditions(true_share=1.0), 3, chance())[1, :32].any()

    def test_of_another_length(self, motion) -> None:
        with pytest.raises(ValueError, match="expected a motion of 7 frames, got one of 9"):
            draw_control(motion, Conditions(true_share=1.0), 7, chance())


class TestLeaveOut:
    def test_the_rest_keeps_its_colours(self) -> None:
        track = make_track(4000, frames=1)
        left = leave_out(track, 0.3, chance())
        assert 0.27 < 1 - len(left.lines.ids) / 4000 < 0.33
        assert 0.27 < 1 - left.people.num_people / 4000 < 0.33
        assert left.lines.num_matched == 4002
        assert torch.equal(left.lines.lines, track.lines.lines[:, left.lines.ids - 2])

    def test_something_stays(self) -> None:
        track = make_track(3)
        assert leave_out(track, 1.0, chance()) is track
        alone = MotionTrack(SIZE, None, track.people.people([0]), None)
        assert all(leave_out(alone, 0.5, chance(i)).people.num_people for i in range(9))


class TestShift:
    def test_deviation(self) -> None:
        """In pixels, the same to either side; halfway between keyframes it is less."""
        track = make_track(1000)
        moved = shift(track, (0, 4), 2.0, chance())
        pixels = torch.tensor(SIZE[::-1])
        ways = (
            moved.lines.lines - track.lines.lines,
            (moved.people.keypoints - track.people.keypoints) * pixels,
        )
        for way in ways:
            for frame, expected in ((0, 2.0), (2, 2**0.5), (4, 2.0)):
                spread = way[frame].flatten(0, -2).double().std(0)
                assert torch.allclose(spread, torch.full((2,), expected).double(), rtol=0.1)
            assert way.diff(n=2, dim=0).abs().max() < 1e-4  # evenly from keyframe to keyframe

    def test_each_keyframe_has_its_own(self) -> None:
        track = make_track(500, frames=9)
        moved = shift(track, (0, 4, 8), 1.0, chance()).lines.lines - track.lines.lines
        assert moved[4].std() > 0.9
        assert abs(np.corrcoef(moved[4].flatten(), moved[8].flatten())[0, 1]) < 0.1

    def test_hands_and_faces_keep_their_shape(self) -> None:
        track = make_track(2)
        way = shift(track, (0, 4), 3.0, chance()).people.keypoints - track.people.keypoints
        for part, joint in ((LEFT_HAND, 7), (RIGHT_HAND, 4), (FACE, 0)):
            assert torch.allclose(
                way[..., part, :], way[..., [joint], :].expand_as(way[..., part, :])
            )
        assert way[0, 0, [0, 4, 7]].unique(dim=0).shape == (3, 2)

    def test_what_is_not_seen_stays_unseen(self) -> None:
        track = make_track(2)
        track.lines.lines[2, 0] = torch.nan
        track.people.scores[:, 1] = 0.0
        moved = shift(track, (0, 4), 1.0, chance())
        assert torch.equal(moved.lines.seen, track.lines.seen)
        assert torch.equal(moved.people.scores, track.people.scores)
        people = MotionTrack(SIZE, None, walker_track(), None)
        assert shift(people, (0, 1), 1.0, chance()).lines is None


def walker_track() -> Poses:
    one = walker(0.0)
    return Poses(one.keypoints.repeat(2, 1, 1, 1), one.scores.repeat(2, 1, 1))
