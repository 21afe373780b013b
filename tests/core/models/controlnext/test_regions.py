"""Masks of frames, for the hidden state that ControlNeXt steers."""

import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.models.controlnext import check_num_masks, shrink_masks, soften_masks


def half(width: int = 32) -> torch.Tensor:
    """A mask of the right half, [1, 16, width]."""
    mask = torch.zeros(1, 16, width)
    mask[..., width // 2 :] = 1
    return mask


class TestSoftenMasks:
    def test_no_feather_changes_nothing(self):
        mask = half()
        assert soften_masks(mask, 0) is mask and soften_masks(mask, 0.9) is mask

    def test_an_edge_becomes_a_ramp_with_the_edge_in_its_middle(self):
        soft = soften_masks(half(), 4)
        ramp = torch.tensor([0, 0.2, 0.4, 0.6, 0.8, 1])
        assert torch.allclose(soft, torch.cat([torch.zeros(13), ramp, torch.ones(13)]))

    def test_the_border_of_the_frame_is_no_edge(self):
        assert torch.allclose(soften_masks(torch.ones(2, 16, 32), 9), torch.ones(2, 16, 32))

    def test_masks_stay_in_their_range(self):
        soft = soften_masks((torch.rand(1, 64, 64) > 0.5).float(), 7)
        assert soft.min() >= 0 and soft.max() <= 1


class TestShrinkMasks:
    def test_each_value_is_the_mean_of_its_area(self):
        masks = torch.rand(3, 16, 32)
        small = shrink_masks(masks, 3, (2, 4))
        assert small.shape == (3, 1, 2, 4)
        assert float(small[1, 0, 1, 2]) == pytest.approx(float(masks[1, 8:, 16:24].mean()))

    def test_one_mask_is_for_all_frames(self):
        small = shrink_masks(half(), 5, (2, 4))
        assert small.shape == (5, 1, 2, 4)
        assert torch.equal(small[4, 0], torch.tensor([[0.0, 0, 1, 1]] * 2))

    def test_ones_stay_ones(self):
        assert torch.equal(
            shrink_masks(torch.ones(1, 576, 1024), 2, (36, 64)), torch.ones(2, 1, 36, 64)
        )


def test_number_of_masks():
    check_num_masks(torch.zeros(1, 8, 8), 5)
    check_num_masks(torch.zeros(5, 8, 8), 5)
    with pytest.raises(UserError, match="There are 4 masks, but 5 control frames: give one mask"):
        check_num_masks(torch.zeros(4, 8, 8), 5)
