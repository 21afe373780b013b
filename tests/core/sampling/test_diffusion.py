import pytest
import torch

from fcvg_core.choices import SPACINGS
from fcvg_core.sampling import noise_table, spaced_timesteps, split_prediction

PLAIN = {"zero_snr": False, "base_scale": None}


class TestNoiseTable:
    def test_known_values(self):
        """The ends of Stable Diffusion's schedule, as its published schedulers have them."""
        table = noise_table(**PLAIN)
        assert table.alphas[[0, -1]].tolist() == [
            pytest.approx(0.99915, abs=1e-7),
            pytest.approx(0.0046602, rel=1e-4),
        ]
        assert table.sigmas[[0, -1]].tolist() == [
            pytest.approx(0.0291675, rel=1e-4),
            pytest.approx(14.6146, rel=1e-4),
        ]
        assert torch.equal(table.scales, torch.ones(1000, dtype=torch.float64))

    def test_zero_snr_ends_without_a_signal_and_keeps_the_start(self):
        alphas, plain = noise_table(zero_snr=True, base_scale=None).alphas, noise_table(**PLAIN)
        assert alphas[-1] == 0 and alphas[-2] > 0
        assert alphas[0] == plain.alphas[0]
        assert (alphas.diff() < 0).all()

    def test_the_level_without_a_signal_is_high_but_finite(self):
        sigmas = noise_table(zero_snr=True, base_scale=0.5).sigmas
        assert sigmas[-1] == pytest.approx(2e4)
        assert sigmas.isfinite().all() and (sigmas.diff() > 0).all()

    def test_scales_fall_from_one_for_400_timesteps(self):
        scales = noise_table(zero_snr=True, base_scale=0.3).scales
        assert scales[[0, 399, 400, 999]].tolist() == pytest.approx([1.0, 0.3, 0.3, 0.3])
        assert scales[133] == pytest.approx(1 - 0.7 / 3)

    def test_a_smaller_signal_is_a_higher_level(self):
        table, plain = noise_table(zero_snr=False, base_scale=0.7), noise_table(**PLAIN)
        torch.testing.assert_close(table.sigmas * table.scales, plain.sigmas)


class TestSpacedTimesteps:
    @pytest.mark.parametrize(
        ("spacing", "steps", "first", "last"),
        [
            ("uniform_trailing", 50, [999, 979, 959], [39, 19]),
            ("uniform_trailing", 7, [999, 856, 713], [285, 142]),
            ("uniform_trailing", 48, [999, 978, 957], [41, 20]),  # 937.5 becomes 938, not 937
            ("uniform_trailing", 1000, [999, 998, 997], [1, 0]),
            ("uniform_trailing", 1, [999], [999]),
            ("uniform", 50, [981, 961, 941], [21, 1]),
            ("uniform", 7, [995, 853, 711], [143, 1]),
            ("uniform", 500, [999, 997, 995], [3, 1]),
            ("uniform", 9, [999, 889, 778], [112, 1]),  # 1000 becomes 999
            ("uniform", 1000, [999, 998, 997], [2, 1]),
            ("uniform", 1, [1], [1]),
            ("quad", 2, [801, 1], [801, 1]),
            ("quad", 50, [801, 768, 737], [1, 1]),
        ],
    )
    def test_known_values(self, spacing, steps, first, last):
        timesteps = spaced_timesteps(steps, spacing).tolist()
        assert timesteps[: len(first)] == first
        assert timesteps[-len(last) :] == last

    def test_uniform_has_more_steps_where_they_do_not_divide_1000(self):
        assert [len(spaced_timesteps(steps, "uniform")) for steps in (7, 50, 60)] == [8, 50, 63]

    @pytest.mark.parametrize("spacing", SPACINGS)
    def test_every_number_of_steps_stays_in_the_table(self, spacing):
        for steps in range(1, 1001):
            timesteps = spaced_timesteps(steps, spacing)
            assert timesteps.dtype == torch.int64
            assert timesteps[0] <= 999 and timesteps[-1] >= 0
            assert (timesteps.diff() <= 0).all()
            assert len(timesteps) == steps or spacing == "uniform"

    @pytest.mark.parametrize("steps", [0, 1001])
    def test_numbers_of_steps_that_are_refused(self, steps):
        with pytest.raises(ValueError, match=f"takes 1 to 1000 steps, got {steps}"):
            spaced_timesteps(steps, "uniform")

    def test_unknown_spacing(self):
        with pytest.raises(ValueError, match="uniform_trailing, uniform, quad; got 'linear'"):
            spaced_timesteps(5, "linear")


class TestSplitPrediction:
    @pytest.mark.parametrize(("prediction", "alpha"), [("eps", 0.3), ("v", 0.3), ("v", 0.0)])
    def test_a_perfect_prediction_is_split_into_what_was_mixed(self, prediction, alpha):
        clean, noise = torch.randn(2, 3, 4, 5, 6, generator=torch.Generator().manual_seed(0))
        signal, rest = alpha**0.5, (1 - alpha) ** 0.5
        output = {"eps": noise, "v": signal * noise - rest * clean}[prediction]
        found = split_prediction(signal * clean + rest * noise, output, alpha, prediction)
        torch.testing.assert_close(found, (clean, noise))

    def test_by_hand(self):
        """0.6 of noise and 0.8 of a signal."""
        found = split_prediction(torch.tensor([2.0]), torch.tensor([1.0]), 0.64, "eps")
        assert [x.item() for x in found] == pytest.approx([(2 - 0.6) / 0.8, 1.0])
        found = split_prediction(torch.tensor([2.0]), torch.tensor([1.0]), 0.64, "v")
        assert [x.item() for x in found] == pytest.approx([1.6 - 0.6, 0.8 + 1.2])

    def test_unknown_prediction(self):
        with pytest.raises(ValueError, match='"eps" or "v", got \'x0\''):
            split_prediction(torch.zeros(1), torch.zeros(1), 0.5, "x0")
