import math

import numpy as np
import pytest
import torch

from fcvg_core.sampling import (
    ays_sigmas,
    euler_step,
    karras_sigmas,
    keeps_start,
    level_at,
    starts_empty,
    warn_of_one_step,
    whole_steps,
)
from fcvg_core.settings import FAST

SVD = {"lowest": 0.002, "highest": 700.0}
# As NVIDIA publishes them, and as ComfyUI's AlignYourStepsScheduler has them.
PUBLISHED = [700.00, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002]


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


def published(steps: int) -> torch.Tensor:
    """What ComfyUI's AlignYourStepsScheduler gives for SVD: its rule in other words."""
    known = np.arange(11) / 10
    wanted = np.linspace(0, 1, steps + 1)
    upward = np.exp(np.interp(wanted, known, np.log(PUBLISHED[::-1])))
    levels = PUBLISHED if steps == 10 else list(upward[::-1])
    return torch.FloatTensor([*levels[:-1], 0])


class TestAlignYourSteps:
    def test_as_published(self):
        assert ays_sigmas(10).tolist() == torch.tensor([*PUBLISHED[:-1], 0.0]).tolist()
        assert ays_sigmas(10).dtype == torch.float32

    @pytest.mark.parametrize("steps", range(1, 51))
    def test_as_comfyui(self, steps):
        assert torch.equal(ays_sigmas(steps), published(steps))

    def test_twice_the_steps_keep_the_published_levels(self):
        torch.testing.assert_close(ays_sigmas(20)[::2], ays_sigmas(10), rtol=1e-6, atol=0)
        between = ays_sigmas(20)[1].item()
        assert between == pytest.approx(math.sqrt(700 * 54.5), rel=1e-6)

    def test_one_step(self):
        assert ays_sigmas(1).tolist() == [pytest.approx(700.0), 0.0]

    def test_no_step(self):
        with pytest.raises(ValueError, match="at least 1 step, got 0"):
            ays_sigmas(0)


@pytest.mark.parametrize(
    ("schedule", "steps", "warned"), [("ays", 1, True), ("ays", 2, False), ("karras", 1, False)]
)
def test_one_step_of_align_your_steps_is_said(caplog, schedule, steps, warned):
    warn_of_one_step(schedule, steps)
    assert bool(caplog.messages) is warned


class TestLevelAt:
    """The rule of ComfyUI's percent_to_sigma for SVD, but for the level of 0: there any level."""

    @pytest.mark.parametrize(
        ("percent", "level"),
        [(-1, math.inf), (0, math.inf), (0.5, math.sqrt(1.4)), (1, 0.0), (2, 0.0)],
    )
    def test_by_hand(self, percent, level):
        assert level_at(percent, **SVD) == pytest.approx(level)

    def test_near_the_ends(self):
        assert level_at(1e-9, **SVD) == pytest.approx(700)
        assert level_at(1 - 1e-9, **SVD) == pytest.approx(0.002)

    def test_four_levels_of_the_fast_preset_are_guided(self):
        """Each with 4 passes of both directions, and each of the other 6 with 2: 28 in all."""
        high, low = (level_at(FAST[f"guidance_{end}"], **SVD) for end in ("from", "until"))
        levels = ays_sigmas(FAST["steps"])[:-1].tolist()
        guided = [round(level, 3) for level in levels if low <= level <= high]
        assert guided == [15.886, 7.977, 4.248, 1.789]
        assert 4 * len(guided) + 2 * (len(levels) - len(guided)) == 28


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
