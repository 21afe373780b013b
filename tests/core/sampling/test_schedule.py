import pytest
import torch

from fcvg_core.sampling import euler_step, karras_sigmas

SVD = {"lowest": 0.002, "highest": 700.0}


class TestKarrasSigmas:
    def test_known_values(self):
        sigmas = karras_sigmas(25, **SVD)
        expected = torch.tensor([700.0, 545.7292, 421.5691])
        torch.testing.assert_close(sigmas[:3], expected, rtol=1e-6, atol=0)
        assert sigmas[-2:].tolist() == [pytest.approx(0.002), 0.0]
        assert sigmas.dtype == torch.float32

    def test_one_step(self):
        assert karras_sigmas(1, **SVD).tolist() == [pytest.approx(700.0), 0.0]

    def test_no_step(self):
        with pytest.raises(ValueError, match="at least 1 step, got 0"):
            karras_sigmas(0, **SVD)


class TestEulerStep:
    def test_by_hand(self):
        """From 10 at a level of 4 towards 2: a quarter of the way to a level of 3."""
        out = euler_step(
            torch.tensor([10.0]), torch.tensor([2.0]), torch.tensor(4.0), torch.tensor(3.0)
        )
        assert out.tolist() == [8.0]

    def test_the_last_step_gives_what_the_model_predicts(self):
        latents, denoised = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0))
        out = euler_step(latents, denoised, torch.tensor(0.5), torch.tensor(0.0))
        torch.testing.assert_close(out, denoised)
