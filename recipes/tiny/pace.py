"""How much time a run has, and how many steps fit into it."""

import time
from collections.abc import Callable

from fcvg_core.progress import Progress

Say = Callable[[str], None]
MINUTE = 60.0
TRUST = 0.95  # share of the time that steps are planned for: they are not all equally fast


class Clock:
    """The time of a run.

    Args:
        seconds: that it has; None: as long as it takes.
        now: tells the time in seconds.
    """

    def __init__(self, seconds: float | None, now: Callable[[], float] = time.monotonic):
        self._seconds, self._now = seconds, now
        self._start = now()

    @property
    def passed(self) -> float:
        """Seconds since the start."""
        return self._now() - self._start

    def left(self, share: float) -> float | None:
        """Seconds until a share of the time has passed, 0 or more; None: there is no limit."""
        return None if self._seconds is None else max(share * self._seconds - self.passed, 0.0)

    def plan_steps(
        self, share: float, steps: int, practice: int, take: Callable[[int, Progress], None]
    ) -> int:
        """How many steps fit into the time until a share of it has passed, at least 1.

        Args:
            steps: the answer if there is no limit; then none is tried.
            practice: steps to try, at least 2; the first third is slower and does not count.
            take: takes a number of steps, and tells after each.
        """
        if self._seconds is None:
            return steps
        moments: list[float] = []
        take(practice, lambda *told: moments.append(self._now()))
        moments = moments[practice // 3 :]
        each = (moments[-1] - moments[0]) / (len(moments) - 1)
        return max(int(TRUST * self.left(share) / max(each, 1e-6)), 1)


class EachMinute:
    """Progress that says something each minute.

    Args:
        say: gets the stage, the parts that are done and all parts.
        now: tells the time in seconds.
    """

    def __init__(
        self, say: Callable[[str, int, int], None], now: Callable[[], float] = time.monotonic
    ):
        self._say, self._now = say, now
        self._last = now()

    def __call__(self, stage: str, done: int, total: int) -> None:
        if self._now() - self._last >= MINUTE or done == total:
            self._last = self._now()
            self._say(stage, done, total)
