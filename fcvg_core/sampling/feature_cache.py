"""Which evaluations of the UNet are whole, and the deep features that the others use again.

Source: Ma et al., DeepCache (arXiv 2312.00858) section 3.3, with a uniform interval.
"""

from collections.abc import Hashable, Sequence

from torch import Tensor

from ..errors import UserError


def check_cache_interval(interval: int, steps: int) -> None:
    """Raise UserError if a run has fewer steps than the interval of its feature cache.

    Args:
        interval: see `FeatureCache`; 1 is off.
    """
    if interval > steps:
        found = f"are {steps} steps" if steps > 1 else "is 1 step"
        allowed = f"a number from 1 (no cache) to {steps}" if steps > 1 else "1 (no cache)"
        raise UserError(
            f"The interval of the cache is {interval}, but there {found}: set it to {allowed}."
        )


class FeatureCache:
    """The deep features of the last whole evaluation of the UNet, for each pass of an evaluation.

    An evaluation is what a sampler asks for at once: it may take several calls of the UNet, and
    a call may hold several passes. Each pass of an evaluation has a key of its own, for example
    its direction, its condition and its window, so that the order and the grouping of the passes
    may change from one evaluation to the next. It serves one run, and one thread at a time.

    Attributes:
        whole: number of passes so far that had to be computed whole.
        reused: number of passes so far that use kept features.
    """

    def __init__(self, interval: int) -> None:
        """Make an empty cache; every `interval`-th evaluation is whole, from the first one on."""
        self.whole = 0
        self.reused = 0
        self._interval = interval
        self._evaluation = -1
        self._level: float | None = None
        self._seen: set[Hashable] = set()
        self._features: dict[Hashable, Tensor] = {}

    def needs_whole(self, level: float, keys: Sequence[Hashable]) -> bool:
        """Whether a call of the UNet has to be whole; to be asked once before each call.

        A new evaluation begins when the noise level changes or a key comes again. A call of an
        evaluation that is not whole has to be whole all the same if one of its keys has no
        features since the last whole evaluation began: its pass was not computed then.

        Args:
            level: noise level of the call.
            keys: of all passes of the call, each once.
        """
        if level != self._level or not self._seen.isdisjoint(keys):
            self._begin(level)
        self._seen.update(keys)
        whole = not all(key in self._features for key in keys)
        if whole:
            self.whole += len(keys)
        else:
            self.reused += len(keys)
        return whole

    def _begin(self, level: float) -> None:
        self._evaluation += 1
        self._level = level
        self._seen.clear()
        if self._evaluation % self._interval == 0:
            self._features.clear()  # before the new features come, so that no pass has two

    def put(self, key: Hashable, features: Tensor) -> None:
        """Keep the features of a pass that was computed whole."""
        self._features[key] = features

    def get(self, key: Hashable) -> Tensor:
        """The features of a pass.

        Raises:
            KeyError: there are none; `needs_whole` has said so.
        """
        return self._features[key]
