"""The plain squared error of v-prediction."""

import pytest
import torch
from training_cases import random

from fcvg_core.models.svd import denoise_latents
from fcvg_core.training.loss import add_noise, v_loss, v_target

SHAPE = (2, 3, 4, 4, 8)  # samples, frames, channels, height, width
CLEAN, NOISE, PREDICTION = (random(i, *SHAPE).double() for i in range(3))


def weighted_loss(prediction, clean, noise, sigma, weights=1.0):
    """The official form: the error of the latents without noise, times (1 + sigma^2) / sigma^2."""
    denoised = denoise_latents(prediction, add_noise(clean, noise, sigma), sigma)
    factor = (1 + sigma**2) / sigma**2
    return (factor * (denoised - clean) ** 2 * weights).flatten(1).mean(1)


class TestVLoss:
    @pytest.mark.parametrize("level", [0.002, 0.1, 1.0, 10.0, 700.0])
    def test_equals_the_weighted_error_of_the_latents(self, level):
        sigma = torch.tensor(level, dtype=torch.float64)
        found = v_loss(PREDICTION, v_target(CLEAN, NOISE, sigma))
        expected = weighted_loss(PREDICTION, CLEAN, NOISE, sigma)
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)

    def test_with_weights_too(self):
        sigma, weights = torch.tensor(2.0).double(), 1 + random(5, 2, 3, 1, 4, 8).double().abs()
        found = v_loss(PREDICTION, v_target(CLEAN, NOISE, sigma), weights)
        expected = weighted_loss(PREDICTION, CLEAN, NOISE, sigma, weights)
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)

    def test_by_hand(self):
        prediction, target = torch.zeros(2, 1, 4, 1, 2), torch.ones(2, 1, 4, 1, 2)
        target[1] = 3
        weights = torch.tensor([1.0, 4.2]).reshape(1, 1, 1, 1, 2).expand(2, -1, -1, -1, -1)
        assert v_loss(prediction, target).tolist() == [1, 9]
        torch.testing.assert_close(
            v_loss(prediction, target, weights).tolist(), [2.6, 23.4], rtol=1e-6, atol=0
        )

    def test_is_in_the_prediction_s_precision(self):
        loss = v_loss(PREDICTION.float(), v_target(CLEAN, NOISE, torch.tensor(1.0)))
        assert loss.dtype == torch.float32


class TestVTarget:
    @pytest.mark.parametrize("level", [0.002, 1.0, 700.0])
    def test_leads_to_the_clean_latents(self, level):
        sigma = torch.tensor(level, dtype=torch.float64)
        noisy = add_noise(CLEAN, NOISE, sigma)
        denoised = denoise_latents(v_target(CLEAN, NOISE, sigma), noisy, sigma)
        torch.testing.assert_close(denoised, CLEAN, rtol=1e-8, atol=1e-8)

    def test_keeps_single_precision(self):
        sigma = torch.tensor(3.0, dtype=torch.float64)
        assert v_target(CLEAN.float(), NOISE.float(), sigma).dtype == torch.float32
