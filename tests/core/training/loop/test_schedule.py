"""Learning rates, and the order and chance of samples."""

from itertools import pairwise

import pytest
import torch

from fcvg_core.training.config import Training
from fcvg_core.training.loop.chance import chance, pick_samples
from fcvg_core.training.loop.prefetch import AHEAD, prefetch
from fcvg_core.training.loop.schedule import rate_factor


def factors(**changes) -> list[float]:
    training = Training(steps=10, warmup=0, **changes)
    return [rate_factor(training, step) for step in range(10)]


def test_the_warm_up_rises_to_all_of_the_rate():
    training = Training(steps=10, warmup=4)
    assert [rate_factor(training, step) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]
    assert factors() == [1.0] * 10


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_the_rate_falls_to_its_last_share(schedule):
    found = factors(schedule=schedule, decay_from=0.4, last_rate=0.1)
    assert found[:4] == [1.0] * 4
    assert all(one > other for one, other in pairwise(found[3:]))
    assert found[9] == pytest.approx(0.1)
    assert found[6] == pytest.approx(0.55)  # half the way, for both


def test_edges_of_the_fall():
    assert factors(schedule="linear", decay_from=0.0, last_rate=0.0)[-1] == 0.0
    assert factors(schedule="linear", decay_from=1.0) == [1.0] * 10


def test_chance_follows_from_its_arguments_alone():
    def number(*what) -> int:
        return chance(*what).initial_seed()

    assert number(1, 2, "a") == number(1, 2, "a")
    different = [(1, 2, "a"), (1, 2, "b"), (1, 3, "a"), (2, 2, "a"), (12, "a"), (2**64 - 1, 2, "a")]
    assert len({number(*what) for what in different}) == len(different)
    # A run that was begun with an older release goes on as it would have.
    assert torch.rand(1, generator=chance(0, 1, 2, "sample")).item() == pytest.approx(0.364961)


def test_an_epoch_holds_every_sample_once_in_an_order_of_its_own():
    row = pick_samples(3, 50, 0, 100)
    assert sorted(row[:50]) == sorted(row[50:]) == list(range(50)) and row[:50] != row[50:]
    assert pick_samples(3, 50, 30, 40) == row[30:70]
    assert pick_samples(4, 50, 0, 50) != row[:50]
    assert pick_samples(3, 1, 7, 3) == [0, 0, 0]


class TestPrefetch:
    def test_keeps_the_order_and_raises_at_its_number(self):
        def make(number: int) -> int:
            if number == 3:
                raise ValueError("of number 3")
            return number * 10

        found = prefetch(make, range(5))
        assert [next(found) for _ in range(3)] == [0, 10, 20]
        with pytest.raises(ValueError, match="of number 3"):
            next(found)

    def test_is_a_few_numbers_ahead(self):
        made = []
        found = prefetch(made.append, range(100))
        next(found)
        found.close()
        assert made and len(made) <= AHEAD + 1

    def test_keeps_no_gradients(self):
        weight = torch.ones(1, requires_grad=True)
        (made,) = prefetch(lambda number: weight * number, [2])
        assert not made.requires_grad
