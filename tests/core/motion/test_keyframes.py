import pytest
import torch

from fcvg_core.choices import TIMINGS
from fcvg_core.errors import UserError
from fcvg_core.motion import check_keyframes, span_times, spread_keyframes
from fcvg_core.timeline import inbetween_times


class TestCheckKeyframes:
    @pytest.mark.parametrize("at", [(0, 24, 60), (0, 3, 60), (0, 57, 60), (0, 60)])
    def test_takes_what_rises(self, at):
        assert check_keyframes(list(at), 61) == at

    @pytest.mark.parametrize("num_frames", [2, 3])
    def test_a_single_span_may_be_short(self, num_frames):
        assert check_keyframes((0, num_frames - 1), num_frames) == (0, num_frames - 1)

    @pytest.mark.parametrize(
        ("at", "message"),
        [
            ((0,), "at least 2 keyframes, the first and the last; got 1"),
            ((0, 24, 24, 60), "Two keyframes are at frame 24: give each keyframe its own frame"),
            ((0, 40, 24, 60), "at frames 0, 40, 24, 60: sort them"),
            ((0, 24, 61), "A keyframe is at frame 61, but the video has 61 frames, 0 to 60"),
            ((-1, 24, 60), "A keyframe is at frame -1"),
            ((3, 24, 60), "first keyframe is at frame 3 and the last at frame 60"),
            ((0, 24, 50), "begins and ends with a keyframe: put these two at 0 and 60"),
            ((0, 58, 60), "frame 58 to the keyframe at frame 60 there are 3 frames, both included"),
        ],
    )
    def test_refuses_in_words(self, at, message):
        with pytest.raises(UserError, match=message):
            check_keyframes(at, 61)


class TestSpreadKeyframes:
    @pytest.mark.parametrize("count", range(2, 7))
    def test_25_frames_a_span(self, count):
        at = spread_keyframes(count)
        assert at[-1] + 1 == 25 + 24 * (count - 2)
        assert all(later - earlier == 24 for earlier, later in zip(at, at[1:], strict=False))

    def test_over_so_many_frames(self):
        assert spread_keyframes(3, 62) == (0, 30, 61)
        assert spread_keyframes(4, 10) == (0, 3, 6, 9)
        assert spread_keyframes(2, 2) == (0, 1)

    def test_too_few_frames(self):
        with pytest.raises(UserError, match="4 keyframes need at least 10 frames.* has 9"):
            spread_keyframes(4, 9)


class TestSpanTimes:
    @pytest.mark.parametrize("timing", [*TIMINGS, (0.2, 0.9, 0.8)])
    def test_one_span_is_the_timing_itself(self, timing):
        (times,) = span_times((0, 24), timing)
        assert torch.equal(times, inbetween_times(25, timing))

    @pytest.mark.parametrize("timing", [*TIMINGS, (0.2, 0.3, 0.8)])
    def test_each_span_goes_from_0_to_1(self, timing):
        for times, length in zip(span_times((0, 24, 60), timing), (25, 37), strict=True):
            assert len(times) == length
            assert times[0] == 0 and times[-1] == 1
            assert (times.diff() >= 0).all()

    def test_the_timing_runs_over_the_whole_video(self):
        """Ease-in-out of the whole is fast in the middle, where the keyframe is."""
        before, after = span_times((0, 10, 20), "ease-in-out")
        whole = inbetween_times(21, "ease-in-out")
        torch.testing.assert_close(before, whole[:11] / 0.5)
        torch.testing.assert_close(after, (whole[10:] - 0.5) / 0.5)

    def test_a_span_holds_its_ends_where_the_timing_leaves_it(self):
        before, after = span_times((0, 4, 8), (0, 0.8, 0.5, 0.2, 1))
        assert before.tolist() == [0, 0.8, 1, 1, 1]
        assert after.tolist() == pytest.approx([0, 0, 0, 0.2, 1])

    @pytest.mark.parametrize("timing", [(0, 1, 0.5), (0, 0.5, 0.5), (1, 0.5, 0)])
    def test_a_timing_must_rise_from_keyframe_to_keyframe(self, timing):
        with pytest.raises(UserError, match="do not rise from keyframe to keyframe: at the frames"):
            span_times((0, 12, 24), timing)
