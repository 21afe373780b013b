"""How the learning rates go over the steps of a run."""

import math

from ..config import Training
from ..config.parts import CONSTANT, SCHEDULES


def rate_factor(training: Training, step: int) -> float:
    """The share of the learning rates that a step takes; it follows from the step's number alone.

    The rates rise evenly over the warm-up, whose last step has all of them. From a share of all
    steps on they may fall, to `last_rate` at the last step.

    Args:
        step: 0 .. training.steps - 1.

    Returns:
        In 0..1.
    """
    warm = min((step + 1) / training.warmup, 1.0) if training.warmup else 1.0
    return warm * _fallen(training, step)


def _fallen(training: Training, step: int) -> float:
    """The share that is left of the rates, without the warm-up."""
    start = training.decay_from * training.steps
    if training.schedule == CONSTANT or step + 1 <= start:
        return 1.0
    place = min((step + 1 - start) / (training.steps - start), 1.0)
    if training.schedule == SCHEDULES[2]:  # cosine
        place = (1 - math.cos(math.pi * place)) / 2
    return 1 + (training.last_rate - 1) * place
