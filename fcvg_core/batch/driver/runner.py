"""The driver's loop: gives tasks to an engine, notes what became of them, tries lost ones again."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ...errors import UserError
from ...signals import uninterrupted
from ..counts import Counts, Limits, Summary
from ..store import is_full
from ..store.records import failed_names, failed_path
from ..types import DONE, FAILED, HALTED, LOST, UNUSABLE, Engine, Outcome, Store, Task
from .attempts import Attempts
from .endings import note_outcome, write_failure
from .leases import Leases
from .ledger import Ledger, reconcile

__all__ = ["Counts", "Limits", "Summary", "run_batch"]
STARTED, GIVEN_UP = "started", "given up"  # words of the ledger for what is no outcome
SLICE = 0.1  # seconds for which tasks are started before outcomes are looked at again
TICK = 1.0  # seconds: `watch` is called at least as often
PAUSE = 2.0  # seconds between two looks at the tasks that other drivers do


def run_batch(
    plan: Any,
    *,
    store: Store,
    engine: Engine,
    leases: Leases,
    ledger: Ledger,
    limits: Limits | None = None,
    watch: Callable[[Counts], None] = lambda counts: None,
) -> Summary:
    """Do all tasks of a plan, each once, whatever happens to workers.

    At the end, also after an error or a signal, the workers are ended and no task is held.

    Args:
        plan: has `tasks` (an iterable), and the numbers `total`, `done` and `failed_before`, and
            the list `faults` of the rows that are no tasks.
        engine: it is closed at the end.
        limits: by default two retries and any number of failures.
        watch: called after each outcome, and once a second.

    Raises:
        KeyboardInterrupt: a signal came; a later run goes on from there.
    """
    run = _Run(plan, store, engine, leases, ledger, limits or Limits(), watch)
    try:
        run.go()
    except UserError as error:  # no worker can do anything, or the driver itself can't go on
        run.halt(str(error))
    finally:
        engine.close()
        run.give_up()
    return run.summary()


class _Run:
    """A run of `run_batch`."""

    def __init__(
        self,
        plan: Any,
        store: Store,
        engine: Engine,
        leases: Leases,
        ledger: Ledger,
        limits: Limits,
        watch: Callable[[Counts], None],
    ):
        self._tasks = iter(plan.tasks)
        self._total, self._found = plan.total, plan.done
        self._to_do = plan.total - plan.done - plan.failed_before - len(plan.faults)
        self._store, self._engine, self._leases = store, engine, leases
        self._ledger, self._limits, self._watch = ledger, limits, watch
        self._running: dict[str, tuple[Task, int]] = {}  # with the number of the attempt
        self._aside: dict[str, Task] = {}  # tasks that other drivers do
        self._attempts = Attempts(limits.retries)
        self._unusable: set[str] = set()  # setups
        self._failed_before = failed_names(store)  # those among the tasks are tried again
        self._done = self._failed = self._found_later = 0
        self._reasons: list[str] = []
        self._stopped = self._halted = False
        self._look = self._watched = 0.0  # times of time.monotonic

    def go(self) -> None:
        """Start tasks and note outcomes until nothing is left to do, or nothing can be done."""
        while self._running or not self._stopped:
            more = not self._stopped and self._fill()
            if not (more or self._running or self._aside) and not self._judge():
                break
            at_once = more and self._engine.room() > 0
            for outcome in self._engine.wait(0.0 if at_once else TICK):
                with uninterrupted():
                    self._end(outcome)
                self._report()
            if self._halted:
                break
            if time.monotonic() - self._watched >= TICK:
                self._report()
        if self._found_later and not self._halted:
            # Another driver may have been killed before it could note what it had done.
            reconcile(self._store, self._ledger, self._leases)

    def halt(self, reason: str) -> None:
        """Begin no more tasks, and give up those that run: they would fail too."""
        self._halted = self._stopped = True
        self._reasons.append(reason)

    def give_up(self) -> None:
        """Release what this driver still holds; the workers have ended."""
        for task, attempt in self._running.values():
            with suppress(UserError, OSError):  # the store may be what failed
                if self._leases.still_held(task.name) and self._store.is_done(task.name):
                    self._find(task, attempt + 1)  # its worker could not say so any more
                else:
                    self._ledger.note(task, GIVEN_UP, attempt=attempt)
        self._running.clear()
        for name in self._leases.held:
            with suppress(UserError, OSError):
                self._leases.release(name)
        self._report()

    def summary(self) -> Summary:
        """The numbers of the run."""
        counts = self._counts()
        return Summary(
            done=counts.done,
            failed=counts.failed,
            left=counts.left,
            found_done=counts.found,
            reasons=tuple(dict.fromkeys(self._reasons)),
            stopped=self._stopped,
        )

    def _fill(self) -> bool:
        """Start tasks while there is room; False if there is none to start now."""
        until = time.monotonic() + SLICE
        while self._engine.room() > 0 and time.monotonic() < until:
            task = self._next()
            if task is None:
                return False
            with uninterrupted():
                self._begin(task)
        return True

    def _next(self) -> Task | None:
        """The task to begin next; None if there is none now."""
        task = self._attempts.next_soon() or next(self._tasks, None) or self._attempts.next_late()
        if task is None and self._aside and time.monotonic() >= self._look:
            if not self._look:
                driver = self._leases.waiting_for(next(iter(self._aside))) or "ending"
                count = len(self._aside)
                logging.info(
                    "The last tasks (%d) are done by another driver (%s) now.", count, driver
                )
            self._look = time.monotonic() + PAUSE
            self._attempts.soon.extend(self._aside.values())
            self._aside.clear()
            task = self._attempts.next_soon()
        return task

    def _begin(self, task: Task) -> None:
        """Start a task unless it is not this driver's to do."""
        name = task.name
        if self._attempts.is_lost(name) and not self._leases.still_held(name):
            self._attempts.forget(name)
        if task.setup in self._unusable:  # it is left
            self._attempts.forget(name)
            self._leases.release(name)
            return
        if not self._leases.take(name):
            self._aside[task.name] = task
            return
        attempt = self._attempts.number(name)
        if self._store.is_done(name):
            self._find(task, attempt)
        elif name not in self._failed_before and self._store.read(failed_path(name)) is not None:
            self._failed += 1  # in another driver, since this run began
            self._leases.release(name)
        else:
            self._ledger.note(task, STARTED, attempt=attempt)
            self._running[name] = (task, attempt)
            self._engine.start(task, attempt=attempt)
            self._attempts.note_workers(self._engine.workers)

    def _find(self, task: Task, attempt: int) -> None:
        """Count a result that is there although this run has not heard that it was made."""
        if attempt > 1:  # the worker was lost just after it had published
            record = self._store.record(task.name) or {}
            worker, seconds = record.get("worker", ""), record.get("seconds", 0.0)
            self._end_done(task, attempt - 1, Outcome(task.name, DONE, worker, seconds))
            return
        self._found += 1
        self._to_do -= 1
        self._found_later += 1
        self._leases.release(task.name)

    def _end(self, outcome: Outcome) -> None:
        """Note what became of a task."""
        task, attempt = self._running.pop(outcome.name)
        try:
            if not self._leases.still_held(task.name):
                self._ledger.note(
                    task, GIVEN_UP, attempt=attempt, error="another driver has taken it over"
                )
                self._attempts.forget(task.name)
                self._aside[task.name] = task
                return
            ending = {
                DONE: self._end_done,
                FAILED: self._end_failed,
                LOST: self._end_lost,
                UNUSABLE: self._end_unusable,
                HALTED: self._end_halted,
            }
            ending[outcome.state](task, attempt, outcome)
        except UserError as error:
            if not is_full(error):
                raise
            self.halt(str(error))

    def _end_done(self, task: Task, attempt: int, outcome: Outcome) -> None:
        note_outcome(self._ledger, task, attempt, outcome)
        if task.name in self._failed_before:
            self._store.remove(failed_path(task.name))
        self._done += 1
        self._attempts.ended(task)
        self._leases.release(task.name)

    def _end_failed(self, task: Task, attempt: int, outcome: Outcome) -> None:
        write_failure(self._store, task, attempt, outcome)
        note_outcome(self._ledger, task, attempt, outcome)
        self._failed += 1
        self._attempts.ended(task)
        self._leases.release(task.name)
        if self._limits.max_failures is not None and self._failed >= self._limits.max_failures:
            self._stopped = True  # those that run are done to their end

    def _end_lost(self, task: Task, attempt: int, outcome: Outcome) -> None:
        """The task is tried again; it stays this driver's."""
        note_outcome(self._ledger, task, attempt, outcome)
        if not self._attempts.lose(task, outcome):
            self._leave_setup(
                task.setup,
                "Workers were lost at each of the first tasks with the same models, so no more of "
                f"these tasks are tried. The last time: {outcome.error}",
            )

    def _end_unusable(self, task: Task, attempt: int, outcome: Outcome) -> None:
        note_outcome(self._ledger, task, attempt, outcome)
        self._leases.release(task.name)
        self._attempts.forget(task.name)
        self._leave_setup(task.setup, outcome.error)

    def _end_halted(self, task: Task, attempt: int, outcome: Outcome) -> None:
        self.halt(outcome.error)
        self._attempts.forget(task.name)
        self._leases.release(task.name)
        note_outcome(self._ledger, task, attempt, outcome)

    def _leave_setup(self, setup: str, reason: str) -> None:
        """Try no more tasks of a setup; they are left."""
        if setup not in self._unusable:
            logging.warning("%s", reason)
            self._reasons.append(reason)
        self._unusable.add(setup)

    def _judge(self) -> bool:
        """Fail the tasks that were lost too often, when all others have ended; False if none."""
        with uninterrupted():
            doomed = self._attempts.take_doomed()
            for task, times, outcome in doomed:
                if task.setup in self._unusable:
                    self._begin(task)
                else:
                    self._running[task.name] = (task, times)
                    self._end(outcome)
        return bool(doomed)

    def _counts(self) -> Counts:
        return Counts(
            total=self._total,
            done=self._done,
            failed=self._failed,
            left=self._to_do - self._done - self._failed,
            running=len(self._running),
            workers=self._engine.workers,
            found=self._found,
        )

    def _report(self) -> None:
        self._watched = time.monotonic()
        self._watch(self._counts())
