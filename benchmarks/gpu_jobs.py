"""Runs the parts of one job: measurements in a process of their own, without a server."""

import re
from contextlib import ExitStack

from gpu_parts import Job, Part, start
from gpu_worker import PartSkippedError, TooSlowError, Worker


class JobRun:
    """A process, and the measurements that it makes.

    A measurement that takes too long is stopped with its process; the next one gets a new process.

    Args:
        benchmark: gives folders, the card and `attempt`.
        job: the job.
        stack: stops the process when it is closed.
    """

    def __init__(self, benchmark, job: Job, stack: ExitStack):
        self._benchmark, self._job, self._stack = benchmark, job, stack
        self._worker: Worker | None = None

    def run(self, blocked: str | None) -> None:
        """Run all parts; `blocked` is a reason to skip them."""
        benchmark = self._benchmark
        ready = benchmark.attempt(start(self._job), self._start, blocked)
        if not ready:
            blocked = blocked or benchmark.last_skip or "the process was not started"
        for part in self._job.parts:
            benchmark.attempt(part, self._work(part), blocked)

    def _start(self, limit: float, facts: dict) -> None:
        """Start the process, and wait until its object is made."""
        benchmark, options = self._benchmark, self._benchmark.options
        size = benchmark.size
        settings = {
            "host": str(options.host),
            "models": str(benchmark.base / "models"),
            "size": [size.height, size.width, size.num_frames],
            "tiny": options.tiny,
        }
        log = options.out / f"{re.sub('[^a-z0-9]+', '_', self._job.name)}.log"
        self._worker = Worker(self._job.target, settings, log)
        self._stack.callback(self._worker.stop)
        self._worker.wait(limit)

    def _work(self, part: Part):
        """The function that runs a part, for `attempt`."""

        def work(limit: float, facts: dict) -> None:
            try:
                if not self._worker.alive:
                    self._start(limit, facts)
                facts.update(self._worker.call(part.call, limit))
            except TooSlowError as error:
                if not part.spare:
                    raise
                raise PartSkippedError(str(error)) from None

        return work
