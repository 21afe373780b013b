import pytest
import torch

from fcvg_core.sampling import euler_step, karras_sigmas, keeps_start, starts_empty, whole_steps

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


class TestPartOfTheSchedule:
    """The rule of ComfyUI's KSampler."""

    @pytest.mark.parametrize(
        ("denoise", "empty", "kept"),
        [
            (1.0, True, False),
            (0.99991, True, False),
            (0.9999, False, False),
            (0.5, False, False),
            (0.0001, False, False),
            (0.00009, False, True),
            (0.0, False, True),
        ],
    )
    def test_ends(self, denoise, empty, kept):
        assert (starts_empty(denoise), keeps_start(denoise)) == (empty, kept)

    @pytest.mark.parametrize(
        ("steps", "denoise", "whole"),
        [(25, 1.0, 25), (25, 0.7, 35), (25, 0.5, 50), (3, 0.8, 3), (1, 0.4, 2)],
    )
    def test_steps(self, steps, denoise, whole):
        assert whole_steps(steps, denoise) == whole


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
