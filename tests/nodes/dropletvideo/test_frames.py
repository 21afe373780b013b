"""Which decoded frames are kept, and how far frames move."""

import pytest
import torch

from fcvg_core.standalone.demo.scene import draw_sample_pair


def numbered(count: int) -> torch.Tensor:
    """Frames of 32 x 48 pixels, each filled with its number."""
    return torch.arange(count, dtype=torch.float32)[:, None, None, None].expand(-1, 32, 48, 3) / 100


@pytest.fixture(scope="module")
def frames(load):
    return load("nodes.host.dropletvideo.frames")


@pytest.mark.parametrize(
    ("decoded", "keep", "kept"),
    [
        (88, "trimmed", (3, 85)),
        (88, "official", (0, 88)),
        (85, "trimmed", (0, 85)),  # trimmed before
        (49, "trimmed", (0, 49)),
        (8, "trimmed", (3, 5)),
        (1, "official", (0, 1)),
    ],
)
def test_kept_frames(frames, decoded, keep, kept):
    video = frames.trim_video(numbered(decoded), keep, size=(0, 0))
    assert (round(float(video[0, 0, 0, 0] * 100)), len(video)) == kept
    assert video.shape[1:3] == (32, 48)


def test_padding_is_cut_off(frames):
    video = numbered(5).clone()
    video[:, :30, :40] = 1.0
    for size, shape in (((30, 40), (30, 40)), ((0, 40), (32, 40)), ((30, 0), (30, 48))):
        kept = frames.trim_video(video, "trimmed", size=size)
        assert kept.shape == (5, *shape, 3)
        assert (kept[:, :30, :40] == 1).all()


@pytest.mark.parametrize(
    ("count", "size", "said"),
    [
        (50, (0, 0), "has 50 frames, but DropletVideo makes 4n or 4n . 1"),
        (5, (0, 49), "width is 49, but the frames have a width of 48 pixels"),
        (5, (33, 0), "height is 33, but"),
    ],
)
def test_frames_of_something_else(frames, count, size, said):
    with pytest.raises(ValueError, match=said):
        frames.trim_video(numbered(count), "trimmed", size=size)


class TestMotion:
    def test_more_motion_asks_for_a_lower_fps(self, frames, caplog):
        caplog.set_level("INFO")
        first, last = (torch.from_numpy(x)[None] / 255 for x in draw_sample_pair((96, 160)))
        far, fast = frames.measure_motion(first, last, 85)
        clip = torch.cat([first, first.roll(1, dims=2), first.roll(2, dims=2)])
        near, slow = frames.measure_motion(clip, None, 85)
        assert far > near > 0 and 4 <= fast <= slow <= 32
        assert f"try FPS {slow}: a guess from the published samples" in caplog.text

    def test_an_end_picture_of_another_size(self, frames):
        first = torch.rand(1, 64, 96, 3, generator=torch.Generator().manual_seed(0))
        assert frames.measure_motion(first, torch.zeros(1, 70, 80, 3), 85)[0] > 0
        assert frames.measure_motion(first, first, 85)[0] < 1e-3

    def test_one_picture_does_not_move(self, frames):
        with pytest.raises(ValueError, match="one picture, in which nothing moves"):
            frames.measure_motion(torch.zeros(1, 8, 8, 3), None, 85)
