import numpy as np
import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.models.dropletvideo.conditioning import (
    augment,
    concat_conditions,
    condition_frames,
    mask_latents,
    pad_picture,
)

FIRST, LAST = torch.full((3, 2, 4), 0.5), torch.full((3, 2, 4), 0.25)


class TestConditionFrames:
    def test_one_picture(self):
        video = condition_frames(FIRST, None, 9)
        assert video.shape == (1, 3, 9, 2, 4)
        assert values_of_frames(video) == [0.5] + [-1] * 8

    def test_an_end_picture_fills_the_last_latent(self):
        assert values_of_frames(condition_frames(FIRST, LAST, 9)) == [0.5] + [-1] * 4 + [0.25] * 4
        assert values_of_frames(condition_frames(FIRST, LAST, 5)) == [0.5] + [0.25] * 4

    def test_one_frame(self):
        assert values_of_frames(condition_frames(FIRST, None, 1)) == [0.5]

    def test_pictures_of_two_sizes(self):
        with pytest.raises(ValueError, match="one size, got .3, 2, 4. and .3, 1, 4."):
            condition_frames(FIRST, LAST[:, :1], 9)

    def test_an_end_picture_of_one_frame(self):
        for make in (
            lambda: condition_frames(FIRST, LAST, 1),
            lambda: mask_latents(1, (2, 3), has_last=True, scale=0.7),
        ):
            with pytest.raises(UserError, match="5 frames or more, got 1: use more frames, or"):
                make()


class TestAugment:
    def test_only_given_pictures_get_noise(self):
        video = condition_frames(FIRST, LAST, 9)
        video[0, 0, 0, 1] = -1  # black in the picture
        changed = augment(video, 0.1, seed=3) != video
        assert torch.equal(changed, video != -1)

    def test_strength(self):
        video = condition_frames(torch.zeros(3, 100, 100), None, 5)
        assert augment(video, 0.0563, seed=3)[0, :, 0].std() == pytest.approx(0.0563, rel=0.02)
        assert augment(video, 0.0, seed=3) is video

    def test_seed(self):
        video, state = condition_frames(FIRST, None, 5), torch.get_rng_state()
        assert torch.equal(augment(video, 0.1, seed=1), augment(video, 0.1, seed=1))
        assert not torch.equal(augment(video, 0.1, seed=1), augment(video, 0.1, seed=2**64 - 1))
        assert torch.equal(torch.get_rng_state(), state)

    def test_half_precision_and_input_stay(self):
        video = condition_frames(FIRST.bfloat16(), None, 5)
        assert augment(video, 0.1, seed=1).dtype == torch.bfloat16
        assert values_of_frames(video) == [0.5] + [-1] * 4


class TestMask:
    @pytest.mark.parametrize(
        ("num_frames", "has_last", "expected"),
        [
            (1, False, [2]),
            (13, False, [2, 0, 0, 0]),
            (13, True, [2, 0, 0, 2]),
            (5, True, [2, 2]),
        ],
    )
    def test_frames(self, num_frames, has_last, expected):
        mask = mask_latents(num_frames, (2, 3), has_last=has_last, scale=2.0)
        assert mask.shape == (1, 1, len(expected), 2, 3)
        assert values_of_frames(mask) == expected

    @pytest.mark.parametrize("last", [None, LAST])
    def test_is_the_mean_of_a_mask_of_frames(self, last):
        """The official rule: the first frame alone, the others linearly resized."""
        given = (condition_frames(FIRST, last, 13) != -1).float()[:, :1]
        first, rest = given[:, :, :1], given[:, :, 1:]
        rest = torch.nn.functional.interpolate(rest, size=(3, 2, 4), mode="trilinear")
        mask = mask_latents(13, (2, 4), has_last=last is not None, scale=1.0)
        assert torch.equal(mask, torch.cat([first, rest], dim=2))


def test_mask_comes_before_latents():
    mask = mask_latents(5, (2, 3), has_last=False, scale=0.5)
    latents = torch.full((2, 16, 2, 2, 3), 3.0, dtype=torch.float16)
    out = concat_conditions(mask, latents)
    assert out.shape == (2, 17, 2, 2, 3) and out.dtype == torch.float16
    assert out[1, :, 0, 0, 0].tolist() == [0.5] + [3.0] * 16


class TestPadPicture:
    def test_edges_are_repeated_right_and_below(self):
        picture = np.arange(65 * 70 * 3).reshape(65, 70, 3)
        padded = pad_picture(picture)
        assert padded.shape == (80, 80, 3)
        assert np.array_equal(padded[:65, :70], picture)
        assert (padded[:65, 70:] == picture[:, -1:]).all() and (
            padded[65:, :70] == picture[-1]
        ).all()
        assert (padded[79, 79] == picture[64, 69]).all()

    def test_what_fits_stays(self):
        picture = np.zeros((64, 80, 3), np.uint8)
        assert pad_picture(picture) is picture


def values_of_frames(video: torch.Tensor) -> list[float]:
    """The one value of each frame of [B, C, T, h, w]."""
    values = video.transpose(0, 2).flatten(1)
    assert (values == values[:, :1]).all()
    return values[:, 0].tolist()
