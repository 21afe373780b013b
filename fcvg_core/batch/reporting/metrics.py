"""Counts of a running batch as a file for Prometheus, in its text format.

Prometheus' node exporter reads such a file from its textfile folder, if its name ends in .prom.
Source: "Exposition formats" in the documents of Prometheus.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import UserError
from ...files.writing import save_text
from .progress import Pace, done_and_failed

if TYPE_CHECKING:
    from ..counts import Counts

EVERY = 10.0  # seconds between two states of the file


class MetricsFile:
    """A file that shows the state of a batch, written anew every ten seconds and at the end.

    It is never seen half-written. A file that can't be written any more ends no batch.
    """

    def __init__(self, path: Path, pace: Pace, *, clock: Callable[[], float] = time.monotonic):
        self._path, self._pace, self._clock = path, pace, clock
        self._written_at = -EVERY
        self._last: Counts | None = None
        self._can_write = True

    def __enter__(self) -> MetricsFile:
        """Write the file, still without counts.

        Raises:
            UserError: it can't be written.
        """
        save_text(self._path, "")
        return self

    def __exit__(self, *exception) -> None:
        if self._last is not None:
            self._write(self._last, running=False)

    def __call__(self, counts: Counts) -> None:
        """Write the counts, if the file is older than ten seconds."""
        self._last = counts
        if self._clock() - self._written_at >= EVERY:
            self._write(counts, running=True)

    def _write(self, counts: Counts, *, running: bool) -> None:
        self._written_at = self._clock()
        try:
            save_text(self._path, metrics_text(counts, self._pace, running=running))
            self._can_write = True
        except UserError as error:
            if self._can_write:  # said once, not every ten seconds
                logging.warning("The metrics are not up to date. %s", error)
            self._can_write = False


def metrics_text(counts: Counts, pace: Pace, *, running: bool) -> str:
    """The state of a batch in Prometheus' text format.

    Args:
        running: whether the batch still runs.
    """
    left_for = pace.seconds_for(counts.left)
    done, failed = done_and_failed(counts)
    states = {"done": done, "failed": failed, "left": counts.left}
    gauges = (
        ("pairs", "Pairs of the batch in each state.", states),
        ("pairs_running", "Pairs that workers do now.", counts.running if running else 0),
        ("pairs_found_done", "Pairs among the done that an earlier run has done.", counts.found),
        ("workers", "Processes that do pairs.", counts.workers if running else 0),
        ("pairs_per_hour", "Pairs that all workers end in an hour.", pace.per_hour),
        ("run_seconds", "Time since the run began.", pace.seconds),
        ("left_seconds", "Time left at this pace.", left_for if counts.left else 0),
        ("up", "1 while the run goes on, 0 after its end.", int(running)),
    )
    lines = []
    for name, text, value in gauges:
        if value is None:  # not known yet
            continue
        full = f"fcvg_batch_{name}"
        lines += [f"# HELP {full} {text}", f"# TYPE {full} gauge"]
        if isinstance(value, dict):
            lines += [f'{full}{{state="{state}"}} {count}' for state, count in value.items()]
        else:
            lines.append(f"{full} {round(value, 3)}")
    return "".join(f"{line}\n" for line in lines)
