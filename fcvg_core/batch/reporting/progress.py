"""Progress of a batch: a bar in a terminal, a plain line a minute in a file."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..counts import Counts

EVERY = 60.0  # seconds between two lines
WINDOW = 600.0  # seconds that the pace is a mean of, at least
FEWEST = 20  # pairs that the pace is a mean of, at least
STEP = WINDOW / 100  # seconds between two samples of the pace
MINUTE, HOUR, DAY = 60, 3600, 86400  # seconds
BAR = "{percentage:3.0f}%|{bar:12}| {desc}"


class Pace:
    """How quickly pairs end: over the last ten minutes, or the last 20 pairs if they took longer.

    Pairs that an earlier run has done do not count.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._begun = clock()
        self._samples = deque([(self._begun, 0)])  # (time, pairs that had ended)
        self._ended = 0

    @property
    def seconds(self) -> float:
        """Since the start."""
        return self._clock() - self._begun

    def note(self, ended: int) -> None:
        """Take note of the number of pairs that have ended since the start."""
        now = self._clock()
        if ended > self._ended and now - self._samples[-1][0] >= STEP:
            self._samples.append((now, ended))
        self._ended = max(ended, self._ended)
        while len(self._samples) > 2 and self._is_enough_since(*self._samples[1], now):
            self._samples.popleft()

    @property
    def per_hour(self) -> float | None:
        """Pairs that all workers end in an hour; None before the first one."""
        time, ended = self._samples[0]
        seconds = self._clock() - time
        return HOUR * (self._ended - ended) / seconds if self._ended > ended and seconds else None

    def seconds_for(self, pairs: int) -> float | None:
        """Time that so many pairs take at this pace; None where there is none yet."""
        return HOUR * pairs / self.per_hour if self.per_hour else None

    def _is_enough_since(self, time: float, ended: int, now: float) -> bool:
        return now - time >= WINDOW and self._ended - ended >= FEWEST


class ProgressDisplay:
    """Shows how far a batch is, on standard error. Use it in a `with` block.

    In a terminal it is a bar, and the log is printed above it. A file or a pipe would keep every
    state of a bar, so it gets a line a minute, and one at the end.
    """

    def __init__(self, pace: Pace, *, clock: Callable[[], float] = time.monotonic):
        self._pace, self._clock = pace, clock
        self._said_at, self._last = clock(), None
        self._bar, self._log = None, nullcontext()

    def __enter__(self) -> ProgressDisplay:
        if sys.stderr.isatty():
            from tqdm import tqdm
            from tqdm.contrib.logging import logging_redirect_tqdm

            self._bar = tqdm(bar_format=BAR, total=1, dynamic_ncols=True, file=sys.stderr)
            self._log = logging_redirect_tqdm()
        self._log.__enter__()
        return self

    def __exit__(self, *exception) -> None:
        if self._bar is not None:
            self._bar.close()
        elif self._last is not None:
            self._say(self._last)
        self._log.__exit__(*exception)

    def __call__(self, counts: Counts) -> None:
        """Show the counts, if it is time to."""
        self._last = counts
        if self._bar is not None:
            self._bar.total, self._bar.n = counts.total, counts.total - counts.left
            self._bar.set_description_str(describe(counts, self._pace))
        elif self._clock() - self._said_at >= EVERY:
            self._say(counts)

    def _say(self, counts: Counts) -> None:
        sys.stderr.write(f"{describe(counts, self._pace)}\n")
        sys.stderr.flush()
        self._said_at = self._clock()


def describe(counts: Counts, pace: Pace) -> str:
    """Counts, pace and time left: "8 done, 1 failed, 3 left; about 2 min left; 60 ..."."""
    done, failed = done_and_failed(counts)
    parts = [f"{done:,} done, {failed:,} failed, {counts.left:,} left"]
    if pace.per_hour is not None:
        each = pace.per_hour / max(counts.workers, 1)
        shown = f"{each:,.0f}" if each >= 100 else f"{each:.3g}"
        workers = "1 worker" if counts.workers == 1 else f"{counts.workers} workers"
        if counts.left:  # a narrow terminal cuts off what follows
            parts.append(f"about {in_time(pace.seconds_for(counts.left))} left")
        parts.append(f"{shown} pairs an hour a worker, {workers}")
    return "; ".join(parts)


def done_and_failed(counts: Counts) -> tuple[int, int]:
    """All pairs that are done, and all that have failed, in this run and in earlier ones."""
    done = counts.done + counts.found
    return done, counts.total - done - counts.left


def in_time(seconds: float) -> str:
    """A time in words, in its two largest units: "45 s", "12 min", "3 h 20 min", "2 d 5 h"."""
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    if seconds < HOUR - MINUTE / 2:
        return f"{seconds / MINUTE:.0f} min"
    minutes = round(seconds / MINUTE)
    if minutes < DAY // MINUTE:
        return f"{minutes // 60} h {minutes % 60} min"
    hours = round(seconds / HOUR)
    return f"{hours // 24} d {hours % 24} h"
