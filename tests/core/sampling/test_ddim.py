import pytest
import torch

from fcvg_core.sampling import (
    DdimStep,
    ddim_levels,
    ddim_step,
    ddim_steps,
    euler_step,
    lead_a_stride,
    noise_table,
    spaced_timesteps,
    split_prediction,
)
from fcvg_core.sampling.diffusion import SMALLEST_ALPHA

TABLES = {
    "256": noise_table(zero_snr=False, base_scale=None),
    "512": noise_table(zero_snr=True, base_scale=0.7),
}


@pytest.fixture(params=TABLES)
def table(request):
    return TABLES[request.param]


class TestDdimSteps:
    def test_a_step_leads_to_the_next_timestep(self, table):
        timesteps = spaced_timesteps(5, "uniform_trailing")
        steps = ddim_steps(table, timesteps, 0.0)
        assert [step.timestep for step in steps] == timesteps.tolist()
        for step, after in zip(steps[:-1], steps[1:], strict=True):
            assert (step.alpha_prev, step.scale_prev) == (after.alpha, after.scale)

    def test_the_last_step_leads_to_timestep_0_at_its_own_scale(self, table):
        last = ddim_steps(table, torch.tensor([999, 100]), 1.0)[-1]
        assert last.alpha_prev == table.alphas[0] < 1
        assert last.scale_prev == last.scale == table.scales[100]
        assert last.sigma > 0  # noise is added in the last step, too

    def test_noise_by_hand(self, table):
        sigmas = {
            eta: [step.sigma for step in ddim_steps(table, torch.tensor([400, 200]), eta)]
            for eta in (0.0, 0.5, 1.0)
        }
        alpha, alpha_prev = table.alphas[[400, 200]].tolist()
        expected = ((1 - alpha_prev) / (1 - alpha) * (1 - alpha / alpha_prev)) ** 0.5
        assert sigmas[1.0][0] == pytest.approx(expected)
        assert sigmas[0.5] == pytest.approx([sigma / 2 for sigma in sigmas[1.0]])
        assert sigmas[0.0] == [0, 0]

    def test_timesteps_that_come_twice_are_steps_that_change_nothing(self, table):
        step = ddim_steps(table, torch.tensor([50, 1, 1]), 1.0)[1]
        assert (step.alpha, step.scale, step.sigma) == (step.alpha_prev, step.scale_prev, 0)

    def test_the_first_step_from_a_timestep_that_became_999_leads_a_whole_stride(self, table):
        steps = ddim_steps(table, spaced_timesteps(3, "uniform"), 0.0)
        found = lead_a_stride(steps, table)
        assert [step.timestep for step in found] == [999, 667, 334, 1]
        assert found[0].alpha_prev == table.alphas[666] > steps[0].alpha_prev
        assert found[1:] == steps[1:]

    @pytest.mark.parametrize(
        "timesteps",
        [[], [1], [501, 1], [999, 1], [999, 997, 995, 993], [999, 600, 300], [889, 778]],
    )
    def test_other_runs_stay_as_they_are(self, table, timesteps):
        steps = ddim_steps(table, torch.tensor(timesteps), 0.0) if timesteps else []
        assert lead_a_stride(steps, table) == steps


class TestDdimStep:
    def test_by_hand(self):
        """A scale from 0.5 to 1, and 0.64 = 0.8**2 of the signal's variance after the step."""
        step = DdimStep(7, 0.1, 0.64, scale=0.5, scale_prev=1.0, sigma=0.0)
        latents, clean = ddim_step(torch.tensor([3.0]), torch.tensor([1.0]), step, None)
        assert clean.item() == pytest.approx(6.0)
        assert latents.item() == pytest.approx(0.8 * 6 + 0.6 * 1)

    def test_fresh_noise_takes_the_place_of_predicted_noise(self):
        step = DdimStep(7, 0.1, 0.64, 1.0, 1.0, sigma=0.36**0.5 * 0.6)
        latents, _ = ddim_step(
            torch.zeros(1), torch.tensor([1.0]), step, fresh=torch.tensor([10.0])
        )
        assert latents.item() == pytest.approx(0.48 + 3.6)  # 0.48**2 + 0.36**2 = 0.6**2

    def test_all_noise_may_be_fresh(self):
        """From a timestep without a signal, eta 1 replaces the whole noise: no root below 0."""
        for timestep in range(1, 999):
            step = ddim_steps(TABLES["512"], torch.tensor([999, timestep]), 1.0)[0]
            latents, _ = ddim_step(torch.zeros(1), torch.ones(1), step, torch.zeros(1))
            assert abs(latents) < 1e-7

    def test_a_run_on_known_noise_gives_the_clean_latents(self, table):
        """A network that knows the answer: the run keeps the answer at every scale."""
        clean, noise = torch.randn(2, 2, 4, 3, 3, generator=torch.Generator().manual_seed(1))
        latents = noise
        for step in ddim_steps(table, spaced_timesteps(20, "uniform_trailing"), 0.0):
            scaled, rest = clean * step.scale, (1 - step.alpha) ** 0.5
            found = (latents - step.alpha**0.5 * scaled) / rest
            latents, estimate = ddim_step(scaled, found, step, None)
        torch.testing.assert_close(estimate, clean * step.scale)
        assert (latents - estimate).abs().max() < 0.2  # a little noise is left


class TestDdimLevels:
    def test_ends(self, table):
        timesteps = spaced_timesteps(50, "uniform_trailing")
        levels = ddim_levels(table, timesteps)
        assert levels.dtype == torch.float32 and len(levels) == 51
        torch.testing.assert_close(levels[:-1], table.sigmas[timesteps].float())
        expected = table.sigmas[0] / table.scales[19]
        assert levels[-1] == pytest.approx(expected.item())
        assert (levels.diff() < 0).all()

    @pytest.mark.parametrize("spacing", ["uniform_trailing", "uniform", "quad"])
    @pytest.mark.parametrize(("word", "prediction"), [("256", "eps"), ("512", "v")])
    def test_euler_on_the_levels_is_ddim_with_eta_0(self, spacing, word, prediction):
        """With a network that is not linear, in both states of the latents."""
        table, timesteps = TABLES[word], spaced_timesteps(9, spacing)
        start = torch.randn(2, 4, 3, 3, generator=torch.Generator().manual_seed(2)).double()
        steps = ddim_steps(table, timesteps, 0.0)
        levels = ddim_levels(table, timesteps).double()
        latents, scaled = start, (steps[0].alpha ** 0.5) * steps[0].scale
        state = start / max(scaled, SMALLEST_ALPHA**0.5 * steps[0].scale)
        for i, step in enumerate(steps):
            split = split_prediction(latents, network(latents), step.alpha, prediction)
            latents, _ = ddim_step(*split, step, None)
            seen = state * max(step.alpha, SMALLEST_ALPHA) ** 0.5 * step.scale
            clean, _ = split_prediction(seen, network(seen), step.alpha, prediction)
            state = euler_step(state, clean / step.scale, levels[i], levels[i + 1])
        factor = table.alphas[0].sqrt() * table.scales[timesteps[-1]]
        torch.testing.assert_close(state * factor, latents, rtol=1e-3, atol=1e-3)


def network(latents: torch.Tensor) -> torch.Tensor:
    return torch.tanh(latents * 1.5 + 0.3)
