"""How many passes of the UNet a run has: by directions, guidance and the cache of features."""

from collections.abc import Iterable

import torch

from ..estimate import Passes
from .feature_cache import FeatureCache
from .guidance import Guidance

FORWARD, BACKWARD = range(2)


def count_passes(
    evaluations: Iterable[tuple[float, bool]],
    guidance: Guidance,
    *,
    directions: int,
    cache_interval: int,
) -> Passes:
    """Passes of the UNet through one window.

    Args:
        evaluations: for each evaluation of a run its noise level, and whether it predicts the
            forward direction alone.
        guidance: outside its interval, and at a scale of 1, a direction has one pass instead of
            two.
        directions: 1 or 2.
        cache_interval: see `FeatureCache`.
    """
    cache, levels = FeatureCache(cache_interval), set()
    for level, forward_only in evaluations:
        halves = (False, True) if guidance.at(level).needs_uncond else (True,)
        for direction in (FORWARD, BACKWARD)[: 1 if forward_only else directions]:
            keys = [(direction, half) for half in halves]
            if cache.needs_whole(level, keys):
                levels.add(level)
                for key in keys:
                    cache.put(key, torch.empty(0))
    return Passes(cache.whole, cache.reused, steered=len(levels))
