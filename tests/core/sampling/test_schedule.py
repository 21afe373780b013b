import pytest
import torch

from fcvg_core.sampling import draw_noise, inject_noise, injection_steps, karras_sigmas
from fcvg_core.sampling.schedule import timestep


class TestDrawNoise:
    def test_order_is_augmentation_then_latents_then_the_rest(self):
        noise = draw_noise(7, (64, 128), 5)
        generator = torch.Generator().manual_seed(7)
        assert torch.equal(noise.augmentation, torch.randn(1, 3, 64, 128, generator=generator))
        assert torch.equal(noise.latents, torch.randn(5, 4, 8, 16, generator=generator))
        injected = torch.randn(3, generator=noise.generator)
        assert torch.equal(injected, torch.randn(3, generator=generator))

    def test_global_generator_is_left_alone(self):
        torch.manual_seed(1)
        expected = torch.randn(2)
        torch.manual_seed(1)
        draw_noise(0, (64, 64), 2)
        assert torch.equal(torch.randn(2), expected)


class TestKarrasSigmas:
    def test_known_values(self):
        sigmas = karras_sigmas(25)
        expected = torch.tensor([700.0, 545.7292, 421.5691])
        torch.testing.assert_close(sigmas[:3], expected, rtol=1e-6, atol=0)
        assert sigmas[-2:].tolist() == [pytest.approx(0.002), 0.0]
        assert sigmas.dtype == torch.float32

    def test_one_step(self):
        assert karras_sigmas(1).tolist() == [pytest.approx(700.0), 0.0]

    def test_no_step(self):
        with pytest.raises(ValueError, match="at least 1 step, got 0"):
            karras_sigmas(0)

    def test_timestep(self):
        assert timestep(torch.tensor(700.0)).item() == pytest.approx(1.6378, abs=1e-4)


class TestInjection:
    def test_returns_to_the_noise_level(self):
        out = inject_noise(torch.zeros(2), torch.ones(2), torch.tensor(5.0), torch.tensor(3.0))
        assert out.tolist() == [4.0, 4.0]

    def test_steps(self):
        assert injection_steps(25, 0.5) == 12
        with pytest.raises(ValueError, match="from 0 to 1, got 1.5"):
            injection_steps(25, 1.5)
