import pytest
import torch

from fcvg_core.sampling import Guidance, guide


class TestGuidance:
    @pytest.mark.parametrize(
        ("start", "end", "needed"), [(1.0, 1.0, False), (1.0, 3.0, True), (3.0, 1.0, True)]
    )
    def test_a_scale_of_one_needs_no_unconditional_prediction(self, start, end, needed):
        assert Guidance(start, end).needs_uncond is needed

    @pytest.mark.parametrize(
        ("start", "end", "scales"), [(1.0, 3.0, [1.0, 2.0, 3.0]), (3.0, 1.0, [3.0, 2.0, 1.0])]
    )
    def test_ramp_changes_linearly_and_broadcasts(self, start, end, scales):
        ramp = Guidance(start, end).ramp(torch.zeros(3, 4, 2, 2))
        assert ramp.shape == (3, 1, 1, 1)
        assert ramp.flatten().tolist() == scales

    def test_ramp_has_the_predictions_type(self):
        assert Guidance(1.0, 2.0).ramp(torch.zeros(3, 4).half()).dtype == torch.float16


def test_guide_goes_from_uncond_through_cond():
    cond, uncond = torch.tensor([5.0, 5.0, 5.0]), torch.tensor([3.0, 3.0, 3.0])
    assert guide(cond, uncond, torch.tensor([0.0, 1.0, 2.0])).tolist() == [3.0, 5.0, 7.0]
