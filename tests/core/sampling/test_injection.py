import pytest
import torch

from fcvg_core.sampling import inject_noise, injection_steps, repeat_step

HIGH, LOW = torch.tensor(5.0), torch.tensor(3.0)


class TestInjectionSteps:
    def test_share_of_the_steps(self):
        assert injection_steps(25, 0.5) == 12

    def test_share_that_is_none(self):
        with pytest.raises(ValueError, match="from 0 to 1, got 1.5"):
            injection_steps(25, 1.5)


def test_injected_noise_returns_to_the_noise_level():
    assert inject_noise(torch.zeros(2), torch.ones(2), HIGH, LOW).tolist() == [4.0, 4.0]


class TestRepeatStep:
    @pytest.mark.parametrize("times", [0, 1, 2])
    def test_noise_before_each_repetition(self, times):
        """A step that halves, from 16: 8, then (8 + 4n) / 2 with the n-th noise."""
        drawn, seen = iter([1.0, 2.0]), []

        def step(latents):
            seen.append(latents.item())
            return latents / 2

        out = repeat_step(
            torch.tensor(16.0),
            HIGH,
            LOW,
            times=times,
            step=step,
            draw=lambda: torch.tensor(next(drawn)),
        )
        assert seen == [16.0, 12.0, 14.0][: times + 1]
        assert out.item() == seen[-1] / 2
        assert list(drawn) == [1.0, 2.0][times:]
