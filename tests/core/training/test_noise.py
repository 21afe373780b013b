"""How often which noise level is drawn."""

import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.training.noise import (
    COSINE,
    DISTRIBUTIONS,
    LOG_NORMAL,
    LogNormal,
    ShiftedCosine,
    draw_sigmas,
    find_distribution,
)

# The share of levels that lie above a level; computed from the published formulas.
SHARES = torch.tensor([0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99], dtype=torch.float64)
LEVELS = {
    COSINE: [58.09, 12.09, 5.853, 2.028, 0.7085, 0.2480, 0.0867, 0.0426, 0.0099],
    LOG_NORMAL: [83.28, 27.99, 15.65, 5.925, 2.014, 0.6844, 0.2591, 0.1449, 0.0487],
}
MANY = 100_000


@pytest.fixture(params=list(LEVELS))
def name(request) -> str:
    return request.param


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class TestDistributions:
    def test_levels_by_share(self, name):
        found = DISTRIBUTIONS[name].level(SHARES)
        expected = torch.tensor(LEVELS[name], dtype=torch.float64)
        assert found.dtype == torch.float64
        torch.testing.assert_close(found, expected, rtol=5e-3, atol=0)

    def test_quantiles_of_drawn_levels(self, name):
        drawn = draw_sigmas(DISTRIBUTIONS[name], MANY, seeded())
        expected = torch.tensor(LEVELS[name], dtype=torch.float64)
        torch.testing.assert_close(drawn.quantile(1 - SHARES), expected, rtol=0.02, atol=0)

    def test_quantiles_of_levels_drawn_one_by_one(self):
        """They are even because chance is, not because a draw of many is spread."""
        generator = seeded(1)
        drawn = torch.cat([draw_sigmas(LogNormal(), 1, generator) for _ in range(5_000)])
        torch.testing.assert_close(float(drawn.log().mean()), 0.7, rtol=0, atol=0.1)
        torch.testing.assert_close(float(drawn.log().std()), 1.6, rtol=0, atol=0.1)

    def test_all_shares_have_a_level(self, name):
        ends = DISTRIBUTIONS[name].level(torch.tensor([0.0, 1.0], dtype=torch.float64))
        assert ends.isfinite().all() and (ends > 0).all()

    def test_cosine_ends_at_the_levels_of_svd(self):
        ends = ShiftedCosine().level(torch.tensor([0.0, 1.0], dtype=torch.float64))
        # At the highest level the schedule of the smaller pictures holds, shifted by 2 ln(1/2).
        torch.testing.assert_close(ends.tolist(), [700.0, 0.002], rtol=1e-6, atol=0)

    def test_no_shift_is_the_cosine_schedule(self):
        plain = ShiftedCosine(high_size=64, deviation=1, lowest=1e-8, highest=1e8)
        share = torch.tensor([0.25, 0.5], dtype=torch.float64)
        expected = [1 + 2**0.5, 1.0]  # the tangents of 3/8 and 1/4 of pi
        torch.testing.assert_close(plain.level(share).tolist(), expected, rtol=1e-6, atol=0)

    def test_an_unknown_name(self):
        assert find_distribution(COSINE) is DISTRIBUTIONS[COSINE]
        with pytest.raises(UserError, match="called 'uniform'; there is: log-normal, cosine"):
            find_distribution("uniform")


class TestDrawSigmas:
    def test_one_of_each_part(self, name):
        drawn = draw_sigmas(DISTRIBUTIONS[name], 4, seeded())
        bounds = DISTRIBUTIONS[name].level(torch.tensor([0.25, 0.5, 0.75]))
        parts = (drawn[:, None] < bounds).sum(1)
        assert sorted(parts.tolist()) == [0, 1, 2, 3]

    def test_the_generator_decides(self):
        first, again = (draw_sigmas(LogNormal(), 5, seeded(3)) for _ in range(2))
        state = torch.get_rng_state()
        other = draw_sigmas(LogNormal(), 5, seeded(4))
        assert torch.equal(first, again) and not torch.equal(first, other)
        assert torch.equal(state, torch.get_rng_state())
