"""SVD's noise levels, inputs and predictions beside diffusers' scheduler."""

import pytest
import torch
from diffusers import EulerDiscreteScheduler

from fcvg_core.models.svd import (
    SCHEDULER,
    SIGMA_MAX,
    SIGMA_MIN,
    denoise_latents,
    noisy_deviation,
    timestep,
)
from fcvg_core.sampling import euler_step, karras_sigmas


def theirs(steps: int) -> EulerDiscreteScheduler:
    scheduler = EulerDiscreteScheduler(**SCHEDULER)
    scheduler.set_timesteps(steps)
    return scheduler


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 7, 25, 50, 100])
def test_noise_levels_and_timesteps_are_diffusers(steps):
    """But for the rounding of float32."""
    scheduler = theirs(steps)
    sigmas = karras_sigmas(steps, lowest=SIGMA_MIN, highest=SIGMA_MAX)
    torch.testing.assert_close(sigmas, scheduler.sigmas, rtol=2e-7, atol=0)
    torch.testing.assert_close(timestep(sigmas[:-1]), scheduler.timesteps, rtol=2e-7, atol=1e-6)
    assert noisy_deviation(sigmas[0]) == pytest.approx(float(scheduler.init_noise_sigma), rel=2e-7)


@pytest.mark.parametrize("step", [0, 1, 3])
def test_a_step_is_diffusers(step):
    scheduler = theirs(4)
    generator = torch.Generator().manual_seed(0)
    latents, prediction = torch.randn(2, 3, 4, 2, 2, generator=generator)
    sigma, sigma_next = scheduler.sigmas[step : step + 2]
    latents = latents * noisy_deviation(sigma)
    at = scheduler.timesteps[step]
    scaled = scheduler.scale_model_input(latents, at)
    torch.testing.assert_close(latents / noisy_deviation(sigma), scaled)
    expected = scheduler.step(prediction, at, latents)
    denoised = denoise_latents(prediction, latents, sigma)
    torch.testing.assert_close(denoised, expected.pred_original_sample)
    ours = euler_step(latents, denoised, sigma, sigma_next)
    torch.testing.assert_close(ours, expected.prev_sample)


def test_timestep():
    assert timestep(torch.tensor(700.0)).item() == pytest.approx(1.6378, abs=1e-4)


def test_denoised_latents_by_hand():
    """At a noise level of 1: half of the latents, less 1 / sqrt(2) of the prediction."""
    out = denoise_latents(torch.tensor([2.0]), torch.tensor([3.0]), torch.tensor(1.0))
    assert out.item() == pytest.approx(1.5 - 2 / 2**0.5)
