"""Nodes for finished clips: loops, clips in a row, another pace."""

import pytest
import torch


def clip(num_frames: int, height: int = 16, width: int = 24) -> torch.Tensor:
    """A clip whose frame k has the value k / 64 everywhere."""
    return (torch.arange(num_frames) / 64).reshape(-1, 1, 1, 1).expand(-1, height, width, 3)


def numbers(frames: torch.Tensor) -> list[int]:
    """The numbers of a clip's frames, in the order of the result."""
    return (frames[:, 0, 0, 0] * 64).round().int().tolist()


@pytest.fixture
def run(node_classes):
    """Runs a node by the end of its id, and returns its frames."""
    return lambda name, *given, **more: node_classes[f"FCVG_{name}"].execute(*given, **more).args[0]


class TestTrimLoop:
    def test_the_last_frame_is_left_out(self, run):
        assert numbers(run("TrimLoop", clip(16))) == list(range(15))

    def test_a_single_picture(self, run):
        with pytest.raises(ValueError, match="loop needs at least 2 frames, got 1"):
            run("TrimLoop", clip(1))


class TestJoinClips:
    def test_a_shared_frame_is_shown_once(self, run):
        joined = run("JoinClips", clip(3), clip(4) + 0.5, True)
        assert numbers(joined) == [0, 1, 2, 33, 34, 35]

    def test_clips_that_share_nothing(self, run):
        assert numbers(run("JoinClips", clip(3), clip(2), False)) == [0, 1, 2, 0, 1]

    @pytest.mark.parametrize(
        ("second", "said"),
        [
            (clip(4, 16, 32), "first_clip has 24 x 16 pixels, but second_clip has 32 x 16: make"),
            (clip(1), "second_clip is a single picture, .* switch shares_frame off"),
        ],
    )
    def test_clips_that_do_not_fit(self, run, second, said):
        with pytest.raises(ValueError, match=said):
            run("JoinClips", clip(3), second, True)


class TestRetimeFrames:
    @pytest.mark.parametrize(
        ("num_frames", "timing", "expected"),
        [
            (16, ("uniform", ""), list(range(16))),
            (5, ("uniform", ""), [0, 4, 8, 11, 15]),
            (6, ("custom", "0, 0, 1"), [0, 0, 0, 3, 9, 15]),
            (5, ("reference", ""), [0, 0, 8, 15, 15]),
        ],
    )
    def test_each_moment_shows_the_nearest_frame(self, run, num_frames, timing, expected):
        assert numbers(run("RetimeFrames", clip(16), num_frames, *timing)) == expected

    def test_slow_at_the_start(self, run):
        found = numbers(run("RetimeFrames", clip(16), 31, "ease-in", ""))
        assert found[0] == 0 and found[-1] == 15 and found[15] < 7
        assert found == sorted(found)

    @pytest.mark.parametrize(
        ("num_frames", "timing", "said"),
        [
            (1, "uniform", "num_frames is 1, but it must be from 2 to 1024"),
            (16, "custom", "numbers in 0..1, for example"),
        ],
    )
    def test_what_can_not_be(self, run, num_frames, timing, said):
        with pytest.raises(ValueError, match=said):
            run("RetimeFrames", clip(16), num_frames, timing, "fast")
