import pytest
import torch

from fcvg_core.sampling import (
    Guidance,
    check_guidance_interval,
    guide,
    guide_branches,
    rescale_guidance,
    warn_of_no_guidance,
)


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

    @pytest.mark.parametrize(
        ("sigma", "guided"),
        [(700.0, False), (5.1, False), (5.0, True), (3.0, True), (1.0, True), (0.9, False)],
    )
    def test_acts_between_two_levels(self, sigma, guided):
        guidance = Guidance(2.0, 3.0, highest=5.0, lowest=1.0)
        assert guidance.at(sigma) == (guidance if guided else Guidance(1.0, 1.0))
        assert guidance.at(sigma).needs_uncond is guided

    @pytest.mark.parametrize("sigma", [1e9, 700.0, 0.002, 0.0])
    def test_acts_at_every_level_by_itself(self, sigma):
        assert Guidance(2.0, 3.0).at(sigma) == Guidance(2.0, 3.0)


@pytest.mark.parametrize("ends", [(0.0, 1.0), (0.3, 0.3), (1.0, 1.0)])
def test_intervals(ends):
    check_guidance_interval(*ends)


def test_interval_that_ends_before_it_begins():
    with pytest.raises(ValueError, match=r"begins at 0\.6 and ends at 0\.4 of the noise levels"):
        check_guidance_interval(0.6, 0.4)


@pytest.mark.parametrize(
    ("scale", "levels", "warned"),
    [
        (3.0, [700.0, 1.0], True),
        (3.0, [700.0, 6.0], False),
        (1.0, [700.0], False),
        (3.0, [], False),
    ],
)
def test_a_run_without_a_guided_step_is_said(caplog, scale, levels, warned):
    warn_of_no_guidance(Guidance(scale, scale, highest=10.0, lowest=5.0), levels)
    assert bool(caplog.messages) is warned


def test_guide_goes_from_uncond_through_cond():
    cond, uncond = torch.tensor([5.0, 5.0, 5.0]), torch.tensor([3.0, 3.0, 3.0])
    assert guide(cond, uncond, torch.tensor([0.0, 1.0, 2.0])).tolist() == [3.0, 5.0, 7.0]


class TestGuideBranches:
    def test_by_hand(self):
        branches = (torch.tensor([1.0]), torch.tensor([3.0]), torch.tensor([6.0]))
        assert guide_branches(*branches, image_scale=2.0, text_scale=10.0).tolist() == [35.0]

    def test_equal_scales_are_guidance_with_one_condition(self):
        branches = torch.randn(3, 2, 4, 3, 3, generator=torch.Generator().manual_seed(0))
        found = guide_branches(*branches, image_scale=7.5, text_scale=7.5)
        torch.testing.assert_close(found, guide(branches[2], branches[0], 7.5))


class TestRescaleGuidance:
    GUIDED, COND = torch.randn(
        2, 6, 4, 3, 3, generator=torch.Generator().manual_seed(1)
    ) * 2 + torch.arange(6.0).reshape(6, 1, 1, 1)

    def test_ends(self):
        assert torch.equal(rescale_guidance(self.GUIDED, self.COND, 0.0), self.GUIDED)
        found = rescale_guidance(self.GUIDED * 3, self.COND, 1.0)
        torch.testing.assert_close(found.std(), self.COND.std())

    def test_between_is_a_mix(self):
        ends = [rescale_guidance(self.GUIDED, self.COND, share) for share in (0.0, 1.0)]
        found = rescale_guidance(self.GUIDED, self.COND, 0.7)
        torch.testing.assert_close(found, 0.3 * ends[0] + 0.7 * ends[1])

    def test_the_whole_clip_has_one_factor(self):
        """A factor for each frame would bring every frame to the same contrast."""
        guided = self.GUIDED * torch.tensor([1.0, 9, 1, 1, 1, 1]).reshape(6, 1, 1, 1)
        factor = rescale_guidance(guided, self.COND, 1.0) / guided
        torch.testing.assert_close(factor, torch.full_like(factor, factor[0, 0, 0, 0].item()))
