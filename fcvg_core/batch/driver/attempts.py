"""Tasks whose worker was lost: when they are tried again, and when they count as failed."""

from collections import deque
from dataclasses import replace

from ..types import FAILED, Outcome, Task

# Tasks of a setup that are lost before one ends, until its models are blamed: so many, or so many
# for each worker. Someone may kill workers before they have loaded the models.
SUSPICIOUS, SUSPICIOUS_EACH = 10, 4
MOST_FORGIVEN = 20  # losses of a task that the machine is blamed for
# What a loss counts for a task and for its setup if something else ended the worker. It is not
# nothing: whatever ends workers may do so because of what they do.
OUTSIDE_TASK, OUTSIDE_SETUP = 0.1, 0.05


class Attempts:
    """Counts losses, and tells a bad task from a bad machine.

    A task that kills its worker does so each time. But where workers are killed by something else,
    a task may be hit several times: losses that other tasks survived show this, and each allows one
    more attempt. So a task that was lost too often is judged when all others have ended.

    Models that kill every worker must not be loaded for ever: before a task of a setup has ended,
    other tasks of the setup are tried first, and after some of them the setup is given up.

    A worker that someone has killed says little of its task: see `Outcome.outside`.

    Args:
        retries: attempts after the first one.
    """

    def __init__(self, retries: int):
        self.soon: deque[Task] = deque()  # before all new tasks
        self._suspicious = SUSPICIOUS
        self._late: deque[Task] = deque()  # after all new tasks
        self._retries = retries
        self._losses: dict[str, int] = {}  # of tasks that have not ended
        self._blame: dict[str, float] = {}  # those that count
        self._last: dict[str, Outcome] = {}
        self._survived = 0
        self._proven: set[str] = set()  # setups of which a task has ended
        self._suspects: dict[str, dict[str, float]] = {}  # setup -> lost tasks, what they count

    def note_workers(self, workers: int) -> None:
        """Note a number of workers, all of which may be lost at the same moment."""
        self._suspicious = max(self._suspicious, SUSPICIOUS_EACH * workers)

    def lose(self, task: Task, outcome: Outcome) -> bool:
        """Note that the worker of a task was lost; False if the models of its setup are at fault.

        The task will be one of `next_soon`, `next_late` or `take_doomed`.
        """
        self._losses[task.name] = self._losses.get(task.name, 0) + 1
        blame = OUTSIDE_TASK if outcome.outside else 1.0
        self._blame[task.name] = self._blame.get(task.name, 0.0) + blame
        self._last[task.name] = outcome
        proven = task.setup in self._proven
        if proven and self._may_try(task.name):
            self.soon.append(task)
        else:
            self._late.append(task)
        if proven:
            return True
        suspects = self._suspects.setdefault(task.setup, {})
        blame = OUTSIDE_SETUP if outcome.outside else 1.0
        suspects[task.name] = max(blame, suspects.get(task.name, 0.0))
        return sum(suspects.values()) < self._suspicious

    def ended(self, task: Task) -> None:
        """Note that a task has ended, done or failed."""
        self._survived += self._losses.get(task.name, 0)
        self._proven.add(task.setup)
        self._suspects.pop(task.setup, None)
        self.forget(task.name)

    def forget(self, name: str) -> None:
        """Drop a task, which another driver has taken over, or which is left."""
        self._losses.pop(name, None)
        self._blame.pop(name, None)
        self._last.pop(name, None)

    def number(self, name: str) -> int:
        """Number of the next attempt of a task; the first is 1."""
        return self._losses.get(name, 0) + 1

    def is_lost(self, name: str) -> bool:
        """Whether a task was lost and has not ended."""
        return name in self._losses

    def next_soon(self) -> Task | None:
        """A task that is tried before all new ones; None if there is none."""
        return self.soon.popleft() if self.soon else None

    def next_late(self) -> Task | None:
        """A task that is tried after all new ones; None if there is none that may be tried."""
        for _ in range(len(self._late)):
            task = self._late.popleft()
            if self._may_try(task.name):
                return task
            self._late.append(task)
        return None

    def take_doomed(self) -> list[tuple[Task, int, Outcome]]:
        """Tasks that were lost too often, with the number of losses and with their failure.

        Only to be called when no other task is left; they are forgotten.
        """
        doomed = []
        for task in self._late:
            doomed.append((task, self._losses[task.name], self._failure(task.name)))
            self.forget(task.name)
        self._late.clear()
        return doomed

    def _may_try(self, name: str) -> bool:
        allowed = self._retries + min(self._survived, MOST_FORGIVEN)
        return self._blame.get(name, 0.0) <= allowed

    def _failure(self, name: str) -> Outcome:
        times, last = self._losses[name], self._last[name]
        often = "once" if times == 1 else f"{times} times"
        error = f"It was given up after its worker was lost {often}. The last time: {last.error}"
        return replace(last, state=FAILED, error=error)
