import random

import pytest
import torch

from fcvg_core.sampling import join_clips, spread_frames, trim_loop
from fcvg_core.timeline import inbetween_times


def joined(clips: list[list], shares_frame: list[bool]) -> list:
    kept = join_clips([len(clip) for clip in clips], shares_frame)
    return [frame for clip, frames in zip(clips, kept, strict=True) for frame in clip[frames]]


class TestJoinClips:
    def test_a_shared_frame_comes_once(self):
        assert joined(["abc", "cde", "xyz"], [False, True, False]) == list("abcdexyz")

    def test_the_earlier_clip_keeps_the_shared_frame(self):
        clips = [[("a", 0), ("b", 0)], [("b", 1), ("c", 1)]]
        assert joined(clips, [False, True]) == [("a", 0), ("b", 0), ("c", 1)]

    def test_a_clip_of_nothing_but_the_shared_frame_adds_nothing(self):
        assert joined(["ab", "b", "bc"], [False, True, True]) == list("abc")

    @pytest.mark.parametrize("seed", range(5))
    def test_keyframes_by_pairs_come_once_each_and_no_frame_twice(self, seed):
        """Every pair of neighbouring keyframes is a clip that begins and ends with them."""
        draw = random.Random(seed)
        keyframes = list(range(draw.randint(2, 9)))
        clips = [
            [first, *(f"{first}.{k}" for k in range(draw.randint(0, 20))), first + 1]
            for first in keyframes[:-1]
        ]
        video = joined(clips, [False] + [True] * (len(clips) - 1))
        assert len(set(video)) == len(video) == len({frame for clip in clips for frame in clip})
        assert [frame for frame in video if isinstance(frame, int)] == keyframes

    def test_no_clips(self):
        assert join_clips([], []) == []

    def test_what_is_refused(self):
        with pytest.raises(ValueError, match="the first clip has no clip before it"):
            join_clips([16, 16], [True, True])
        with pytest.raises(ValueError, match="2 clips need as many flags, got 1"):
            join_clips([16, 16], [False])


class TestTrimLoop:
    def test_the_last_frame_is_dropped(self):
        assert list("abca")[trim_loop(4)] == list("abc")
        assert len(torch.zeros(16, 2)[trim_loop(16)]) == 15

    def test_one_frame(self):
        with pytest.raises(ValueError, match="at least 2 frames, got 1"):
            trim_loop(1)


class TestSpreadFrames:
    def test_by_hand(self):
        assert spread_frames(16, [0, 1 / 15, 0.49, 0.51, 1]) == [0, 1, 7, 8, 15]

    def test_the_middle_of_two_frames_is_the_later_frame(self):
        assert spread_frames(4, [1 / 6, 0.5, 5 / 6]) == [1, 2, 3]

    def test_an_even_motion_keeps_every_frame(self):
        for num_frames in (2, 16, 64, 97):
            times = inbetween_times(num_frames, "uniform")
            assert spread_frames(num_frames, times) == list(range(num_frames))

    def test_easing_repeats_frames_at_the_slow_end(self):
        found = spread_frames(16, inbetween_times(16, "ease-in"))
        assert found == [0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 7, 8, 10, 11, 13, 15]

    def test_more_or_fewer_frames_than_were_sampled(self):
        assert spread_frames(3, inbetween_times(5, "uniform")) == [0, 1, 1, 2, 2]
        assert spread_frames(16, inbetween_times(3, "uniform")) == [0, 8, 15]

    def test_times_may_run_backwards(self):
        assert spread_frames(16, [1, 0.6, 0]) == [15, 9, 0]
