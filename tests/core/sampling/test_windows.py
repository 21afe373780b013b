import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.sampling import (
    Window,
    average_windows,
    check_windows,
    plan_spans,
    plan_windows,
)


class TestPlanWindows:
    @pytest.mark.parametrize(
        ("num_frames", "window", "overlap", "starts"),
        [
            (25, 25, 6, [0]),
            (9, 5, 2, [0, 3, 4]),
            (44, 25, 6, [0, 19]),
            (5, 25, 6, [0]),
            (10, 5, 1, [0, 4, 5]),
        ],
    )
    def test_starts(self, num_frames, window, overlap, starts):
        windows = plan_windows(num_frames, window, overlap)
        assert [w.start for w in windows] == starts
        assert all(w.length == min(window, num_frames) for w in windows)

    def test_one_window_needs_no_overlap(self):
        assert plan_windows(5, 5, 0) == [Window(0, 5)]

    @pytest.mark.parametrize("overlap", [0, 5, 6, -1])
    def test_overlap_that_leaves_frames_out(self, overlap):
        with pytest.raises(
            ValueError, match=f"overlap by 1 to 4 frames, got an overlap of {overlap}"
        ):
            plan_windows(9, 5, overlap)

    @pytest.mark.parametrize(("num_frames", "window"), [(1, 25), (0, 25), (9, 1)])
    def test_too_few_frames(self, num_frames, window):
        with pytest.raises(ValueError, match="at least 2 frames"):
            plan_windows(num_frames, window, 1)

    @pytest.mark.parametrize("num_frames", range(6, 40))
    def test_every_frame_counts_somewhere(self, num_frames):
        counted = set()
        for window in plan_windows(num_frames, 6, 2):
            counted.update(range(num_frames)[window.frames][window.counted])
        assert counted == set(range(num_frames))


class TestPlanSpans:
    @pytest.mark.parametrize("num_frames", [2, 3, 25, 26, 61])
    def test_two_keyframes_are_one_span(self, num_frames):
        assert plan_spans((0, num_frames - 1), 25, 6) == plan_windows(num_frames, 25, 6)

    def test_no_window_leaves_its_span(self):
        """A span that is longer than a window has several."""
        assert plan_spans((0, 4, 12), 6, 2) == [
            Window(0, 5, begin=0, span=0),
            Window(4, 6, begin=4, span=1),
            Window(7, 6, begin=4, span=1),
        ]

    def test_control_begins_with_the_first_keyframe_of_the_span(self):
        first, second, third = plan_spans((0, 4, 12), 6, 2)
        assert second.control_frames == [4, 5, 6, 7, 8, 9]
        assert third.control_frames == [4, 8, 9, 10, 11, 12]
        assert first.counted == slice(0, 5) and second.counted == slice(0, 6)
        assert third.counted == slice(1, 6)

    def test_a_shared_keyframe_is_the_mean_of_both_spans(self):
        out = average_windows(
            torch.zeros(9, 1),
            plan_spans((0, 4, 8), 5, 1),
            lambda x, w: torch.full_like(x, w.span),
        )
        assert out.flatten().tolist() == [0, 0, 0, 0, 0.5, 1, 1, 1, 1]

    def test_refuses_an_overlap_that_leaves_frames_out(self):
        with pytest.raises(UserError, match="9 frames need windows of 6"):
            plan_spans((0, 4, 12), 6, 0)


class TestCheckWindows:
    def test_lists_nothing(self):
        """A list of this many windows would fill the memory."""
        check_windows(10**18, 2, 1)

    @pytest.mark.parametrize(
        ("num_frames", "window", "overlap"), [(1, 25, 6), (9, 1, 0), (9, 5, 0), (9, 5, 5)]
    )
    def test_refuses_what_can_not_be_planned(self, num_frames, window, overlap):
        with pytest.raises(UserError):
            check_windows(num_frames, window, overlap)


class TestWindow:
    def test_control_begins_with_the_videos_first_frame(self):
        assert Window(3, 4).control_frames == [0, 4, 5, 6]
        assert Window(0, 3).control_frames == [0, 1, 2]

    @pytest.mark.parametrize(("repeats", "seen"), [(True, [0, 4, 5, 6]), (False, [3, 4, 5, 6])])
    def test_cut_control(self, repeats, seen):
        control = torch.arange(9)[:, None]
        cut = Window(3, 4).cut_control(control, repeats_first_frame=repeats)
        assert cut.shape == (4, 1) and cut.flatten().tolist() == seen


class TestAverageWindows:
    def test_skips_the_first_frame_of_later_windows(self):
        windows = plan_windows(5, 3, 1)  # starts 0 and 2
        out = average_windows(
            torch.zeros(5, 1), windows, lambda x, w: torch.full_like(x, w.start + 1.0)
        )
        assert out.flatten().tolist() == [1.0, 1.0, 1.0, 3.0, 3.0]

    def test_averages_where_windows_overlap(self):
        out = average_windows(
            torch.zeros(6, 1), plan_windows(6, 4, 2), lambda x, w: torch.full_like(x, w.start)
        )
        assert out.flatten().tolist() == [0.0, 0.0, 0.0, 1.0, 2.0, 2.0]

    def test_leaves_its_input_alone(self):
        latents = torch.ones(5, 2)
        average_windows(latents, plan_windows(5, 3, 1), lambda x, w: x * 2)
        assert torch.equal(latents, torch.ones(5, 2))
