"""How many passes a run has."""

import pytest

from fcvg_core.estimate import Passes
from fcvg_core.sampling import Guidance, count_passes

LEVELS = [10.0, 5.0, 2.0, 1.0]
ALWAYS = Guidance(3.0, 3.0)


def count(levels=LEVELS, early=0, guidance=ALWAYS, directions=2, interval=1) -> Passes:
    evaluations = [(level, i < early) for i, level in enumerate(levels)]
    return count_passes(evaluations, guidance, directions=directions, cache_interval=interval)


@pytest.mark.parametrize(
    ("changes", "whole"),
    [
        ({}, 16),
        ({"directions": 1}, 8),
        ({"guidance": Guidance(1.0, 1.0)}, 8),
        ({"guidance": Guidance(3.0, 3.0, highest=5.0, lowest=2.0)}, 12),
        ({"early": 1}, 14),
        ({"levels": [10.0, 10.0, *LEVELS]}, 24),  # repeated steps
    ],
)
def test_without_a_cache(changes, whole):
    assert count(**changes) == Passes(whole, shallow=0, steered=4)


def test_every_second_evaluation_is_whole():
    assert count(interval=2) == Passes(8, shallow=8, steered=2)
    assert count(interval=4) == Passes(4, shallow=12, steered=1)


def test_repeated_evaluations_count_as_evaluations():
    assert count([10.0, 10.0, 5.0, 5.0], interval=2) == Passes(8, shallow=8, steered=2)


def test_a_pass_without_features_makes_its_call_whole():
    """Guidance begins at the second evaluation, whose unconditional halves have no features."""
    guidance = Guidance(3.0, 3.0, highest=5.0, lowest=5.0)
    assert count(guidance=guidance, interval=4) == Passes(6, shallow=4, steered=2)
    assert count(early=1, interval=4) == Passes(4, shallow=10, steered=2)
