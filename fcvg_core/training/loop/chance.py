"""Where the chance of a step comes from: nothing but the run's seed and the step's number.

A run that goes on from a checkpoint therefore needs no state of a generator, and samples may be
made in another thread, in any order.
"""

import hashlib
from functools import lru_cache

import torch

SAMPLE, PASSES, ORDER = "sample", "passes", "order"  # what is random


def chance(seed: int, *what: int | str) -> torch.Generator:
    """A new generator on the CPU; the same arguments give the same numbers.

    Args:
        seed: of the run.
        what: what the numbers are for: the number of a step, of a sample, a word.
    """
    text = "/".join(map(str, (seed, *what)))
    digest = hashlib.sha256(text.encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little"))


def pick_samples(seed: int, total: int, first: int, count: int) -> list[int]:
    """Samples at some places of the endless row that a run trains on.

    The row is one epoch after the other. An epoch holds every sample once, in an order that
    follows from the seed and the epoch's number.

    Args:
        seed: of the run.
        total: how many samples there are, at least 1.
        first: the first place, from 0.
        count: how many places.

    Returns:
        [count] numbers of samples, 0 .. total - 1.
    """
    places = (divmod(place, total) for place in range(first, first + count))
    return [_epoch(seed, total, epoch)[at] for epoch, at in places]


@lru_cache(maxsize=2)
def _epoch(seed: int, total: int, epoch: int) -> tuple[int, ...]:
    """The order of the samples of an epoch."""
    generator = chance(seed, ORDER, epoch)
    return tuple(torch.randperm(total, generator=generator).tolist())
