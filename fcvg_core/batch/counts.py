"""Numbers of a batch: its limits, how far it is, what it came to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """When to stop trying.

    Attributes:
        retries: how often a task is tried again after a fault of the machine.
        max_failures: the batch stops when so many tasks have failed; None: never.
    """

    retries: int = 2
    max_failures: int | None = None


@dataclass(frozen=True)
class Counts:
    """How far a batch is, in tasks.

    Attributes:
        total: rows of the manifest (of the shard).
        done: by this run.
        failed: in this run.
        left: neither done nor failed yet; those that run are among them.
        running: given to a worker.
        workers: number of workers.
        found: results that were there: of earlier runs, and of other drivers meanwhile.
    """

    total: int
    done: int
    failed: int
    left: int
    running: int
    workers: int
    found: int


@dataclass(frozen=True)
class Summary:
    """What a run came to, in tasks.

    Attributes:
        done: by this run.
        failed: in this run, or in another driver's meanwhile.
        left: neither done nor failed.
        found_done: results that were there: of earlier runs, and of other drivers meanwhile.
        reasons: why tasks are left that could not be tried, or why the batch could not go on.
        stopped: whether the run ended before all tasks were tried.
    """

    done: int
    failed: int
    left: int
    found_done: int
    reasons: tuple[str, ...]
    stopped: bool
