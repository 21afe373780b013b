"""What the driver knows of actors on a Ray cluster and of their tasks."""

import time
from dataclasses import dataclass, field
from typing import Any

from ...quoting import shorten
from ..types import LOST, Outcome, Task

QUEUE = 2  # tasks an actor: one that it does, and one whose conditions are made meanwhile
# Actors of a slot that may die one after the other: before one has started, and before one has
# ended a task. A task that kills each of its actors counts once, so that one bad pair doesn't stop
# the others. Someone may kill actors more often than they end tasks, so there are more of these.
STARTS, DEATHS = 3, 10
NODE_LOST = "its node was lost"
# Words of Ray's messages -> what they mean.
SIGNS = {
    "No module named 'fcvg_core'": "this package is not installed on a node of the cluster (no "
    "module fcvg_core): install it on all nodes, in the same version",
    "node has died": NODE_LOST,
    "running low on memory": "the memory of its node ran out",
    "is unavailable": "its node does not answer",
    "worker process has died": "its process ended at once (killed, or crashed)",
}


@dataclass(eq=False)
class Job:
    """A task that an actor has, or waits for one.

    Attributes:
        ahead: reference to its conditions; None if the actor makes them.
        answer: reference to its outcome.
        begun: when an actor got it, in seconds of the driver's clock.
    """

    task: Task
    attempt: int
    ahead: Any = None
    answer: Any = None
    begun: float = 0.0

    def lost(self, worker: str, reason: str) -> Outcome:
        """Its outcome if the machine failed."""
        seconds = time.monotonic() - self.begun
        outside = NODE_LOST in reason
        return Outcome(self.task.name, LOST, worker, seconds, error=reason, outside=outside)


@dataclass(eq=False)
class Slot:
    """A place for an actor; if its actor dies, it gets another one.

    Attributes:
        hello: reference to the actor's answer to `hello`; None if it has come.
        name: of the worker.
        jobs: its tasks; it does the first.
        starts: actors that died before they could do anything, since one could.
        deaths: tasks at which its actors died, since a task was ended.
        reason: why it is in use no more; empty if it is.
    """

    number: int
    actor: Any = None
    hello: Any = None
    name: str = ""
    jobs: list[Job] = field(default_factory=list)
    starts: int = 0
    deaths: set[str] = field(default_factory=set)
    reason: str = ""

    @property
    def ready(self) -> bool:
        """Whether it can do tasks."""
        return self.hello is None and not self.reason

    @property
    def died(self) -> int:
        """How many of its actors died one after the other, if these are too many; or 0."""
        deaths = len(self.deaths)
        return self.starts if self.starts >= STARTS else deaths if deaths >= DEATHS else 0


def reason_of(error: Exception) -> str:
    """What Ray says of a failure, on one line, without its advice."""
    text = str(error)
    for sign, reason in SIGNS.items():
        if sign in text:
            return reason
    # After a traceback, whose lines are indented, comes the error itself.
    lines = [line for line in text.splitlines() if line.strip()]
    last = max((i for i, line in enumerate(lines) if line[0].isspace()), default=-1)
    return shorten(" ".join(lines[last + 1 :]) or text)
