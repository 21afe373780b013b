"""Progress of a command: bars in a terminal, a few lines in a file."""

import sys
import time
from contextlib import nullcontext

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

EVERY = 60.0  # seconds between two lines of one stage


class Bars:
    """One bar for each stage; a call gives the stage, the parts that are done, and their number.

    Use it in a `with` block: there the log is printed on lines of its own, above the bars. A file
    or a pipe would keep every state of a bar, so it gets lines: at the end of a stage, and before
    it once a minute.
    """

    def __init__(self):
        self._begin = tqdm if sys.stderr.isatty() else _Lines
        self._bars = {}
        self._log = logging_redirect_tqdm() if self._begin is tqdm else nullcontext()

    def __enter__(self) -> "Bars":
        self._log.__enter__()
        return self

    def __exit__(self, *exception) -> None:
        for bar in self._bars.values():
            bar.close()
        self._log.__exit__(*exception)

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage not in self._bars:
            self._bars[stage] = self._begin(total=total, desc=stage)
        bar = self._bars[stage]
        bar.total = total  # a video may turn out to be shorter
        bar.update(done - bar.n)
        if done == total:
            bar.close()


class _Lines:
    """A stage in words, with the part of tqdm's interface that `Bars` uses."""

    def __init__(self, *, total: int, desc: str):
        self.total, self.n = total, 0
        self._stage, self._begun = desc, time.monotonic()
        self._said, self._ended = self._begun, False

    def update(self, more: int) -> None:
        """Count parts that are done; a line is written at the end, or if the last line is old."""
        self.n += more
        now, ended = time.monotonic(), self.n == self.total
        if (ended and not self._ended) or now - self._said >= EVERY:
            share, seconds = 100 * self.n // max(self.total, 1), now - self._begun
            sys.stderr.write(
                f"{self._stage}: {share}% ({self.n} of {self.total}) after {seconds:.0f} s\n"
            )
            sys.stderr.flush()
            self._said, self._ended = now, ended

    def close(self) -> None:
        """Nothing: the lines that are written stay."""
