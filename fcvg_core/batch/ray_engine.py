"""Workers on a Ray cluster: an actor a GPU, with conditions made ahead on free CPUs.

This file alone imports ray. Its actors and tasks import this package on their nodes, so it has to
be installed there, in the same version.
"""

import logging
import os
import time
from contextlib import suppress
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError

from ..errors import UserError
from ..quoting import shorten
from .types import LOST, Outcome, Task
from .workers.ray_slots import QUEUE, Job, Slot, reason_of
from .workers.ray_start import REMEDY, check_address, kept_handler, open_shared, wait_until
from .workers.ray_worker import RayWorker, prepare

GROWS = 10.0  # seconds between two looks at the size of the cluster
FAILS = 5.0  # seconds in which all calls of a dead actor fail


class RayEngine:
    """Workers on a Ray cluster; see `Engine`.

    An actor loads models once. It has two tasks: while it does the first, a CPU task makes the
    conditions of the second, on any node. If an actor dies, alone or with its node, its first task
    is LOST, and its second task goes to another actor.

    Ray itself repeats nothing (`max_restarts` and `max_task_retries` are 0): a call that waits for
    a restarted actor would be done twice, and an actor that can't load its models would be
    restarted for ever. The slot of a dead actor gets a new one, but not for ever: see `Slot.died`.

    Args:
        store_address: of the store; every node can open it: a bucket, or a folder on a disk that
            all nodes share.
        address: HOST:PORT of the cluster; "local" starts one on this machine. By default
            RAY_ADDRESS, or the cluster that runs on this machine, or a new one.
        workers: number of actors. By default one a GPU, also for GPUs that join later; one a CPU
            if the cluster has no GPU.
        owner: of the workspaces.

    Raises:
        UserError: nobody listens at the address, it is no Ray cluster, no actor can start, or
            other processes can't see the store.
    """

    def __init__(
        self,
        store_address: str,
        *,
        address: str | None = None,
        workers: int | None = None,
        owner: str,
    ):
        self._store = open_shared(store_address)
        self._opened = (self._store.address, owner)
        self._workers = workers
        self._slots: list[Slot] = []
        self._again: list[Job] = []
        self._kind = ""
        self._looked = time.monotonic()
        self._connected = _connect(address, workers)
        try:
            # A head that does no work itself may be the only node yet.
            missing = "The Ray cluster has neither a GPU nor a CPU yet."
            wait_until(lambda: _size("GPU") + _size("CPU") >= 1, missing, self.wait)
            self._kind = "GPU" if _size("GPU") >= 1 else "CPU"
            self._actors = _actors(self._kind, workers)
            self._ahead = None
            if self._kind == "GPU" and _size("CPU") >= 1:
                self._ahead = ray.remote(prepare).options(num_cpus=1, max_retries=1)
            self._add_slots(workers or max(1, int(_size(self._kind))))
            waits = f"No worker has started yet: each waits for a free {self._kind}."
            wait_until(lambda: any(slot.ready for slot in self._slots), waits, self.wait)
        except BaseException:
            self.close()
            raise

    @property
    def workers(self) -> int:
        """Number of actors that can do tasks; 1 if all of them are starting."""
        return max(1, sum(slot.ready for slot in self._slots))

    def room(self) -> int:
        """How many tasks can be started now."""
        free = sum(QUEUE - len(slot.jobs) for slot in self._slots if slot.ready)
        return max(0, free - len(self._again))

    def start(self, task: Task, *, attempt: int) -> None:
        """Begin a task; see `Engine`."""
        job = Job(task, attempt)
        # If a first try is lost, its conditions may be the reason: then the actor makes them.
        if self._ahead is not None and attempt == 1:
            job.ahead = self._ahead.remote(*self._opened, task)
        self._give(job)

    def wait(self, seconds: float) -> list[Outcome]:
        """What has ended; see `Engine`."""
        end = time.monotonic() + seconds
        while True:
            self._check_slots()
            self._grow()
            answers = self._answers()
            left = max(0.0, end - time.monotonic())
            if not answers:
                time.sleep(left)
                return []
            ready, waiting = ray.wait(list(answers), num_returns=1, timeout=left)
            if waiting:  # those that have come at the same time
                ready += ray.wait(waiting, num_returns=len(waiting), timeout=0)[0]
            outcomes: list[Outcome] = []
            for slot in dict.fromkeys(answers[answer] for answer in ready):
                outcomes += self._collect(slot, set(ready))
            again, self._again = self._again, []
            for job in again:
                self._give(job)
            if outcomes or not ready:
                return outcomes

    def close(self) -> None:
        """End all actors; tasks that are not done are given up."""
        slots, self._slots = self._slots, []
        jobs = [*self._again, *(job for slot in slots for job in slot.jobs)]
        self._again = []
        with suppress(RayError):
            for slot in slots:
                ray.kill(slot.actor)
            for job in jobs:
                if job.ahead is not None:
                    ray.cancel(job.ahead, force=True)
            # A call fails when its actor has ended; only then are workspaces and leases free.
            ends = [slot.actor.hello.remote() for slot in slots]
            ray.wait(ends, num_returns=len(ends), timeout=FAILS) if ends else None
        if slots:
            self._store.clean(self._opened[1])
        if self._connected:
            self._connected = False
            ray.shutdown()

    def _add_slots(self, count: int) -> None:
        for number in range(len(self._slots), count):
            self._slots.append(Slot(number))
            self._fill(self._slots[-1])

    def _fill(self, slot: Slot) -> None:
        """Give a slot a new actor."""
        slot.actor = self._actors.remote(*self._opened, slot.number)
        slot.hello = slot.actor.hello.remote()

    def _check_slots(self) -> None:
        """Raise UserError if no slot is in use any more."""
        if self._slots and all(slot.reason for slot in self._slots):
            raise UserError(
                f"The workers on the Ray cluster can do nothing: {self._slots[0].reason}"
            )

    def _grow(self) -> None:
        """Add an actor for each GPU that has joined the cluster."""
        if not self._workers and time.monotonic() - self._looked >= GROWS:
            self._looked = time.monotonic()
            self._add_slots(int(_size(self._kind)))

    def _give(self, job: Job) -> None:
        """Give a task to the actor that has the fewest; keep it if none has room."""
        free = [slot for slot in self._slots if slot.ready and len(slot.jobs) < QUEUE]
        if not free:
            self._again.append(job)
            return
        slot = min(free, key=lambda slot: len(slot.jobs))
        job.begun = time.monotonic()
        job.answer = slot.actor.do.remote(job.task, job.attempt, job.ahead)
        slot.jobs.append(job)

    def _answers(self) -> dict[Any, Slot]:
        """References to all answers that are awaited, and the slot of each."""
        answers = {job.answer: slot for slot in self._slots for job in slot.jobs}
        return answers | {slot.hello: slot for slot in self._slots if slot.hello is not None}

    def _collect(self, slot: Slot, ready: set) -> list[Outcome]:
        """Take the answers of a slot that have come."""
        outcomes: list[Outcome] = []
        if slot.hello in ready:
            try:
                slot.name, slot.hello, slot.starts = ray.get(slot.hello), None, 0
            except RayError as error:
                return self._bury(slot, reason_of(error))
        for job in [job for job in slot.jobs if job.answer in ready]:
            try:
                outcome = ray.get(job.answer)
            except RayActorError as error:
                return outcomes + self._bury(slot, reason_of(error))
            except RayError as error:
                outcome = None if job.ahead else job.lost(slot.name, reason_of(error))
            slot.jobs.remove(job)
            if outcome is None:  # its conditions failed
                job.ahead = None
                self._again.append(job)
                continue
            outcomes.append(outcome)
            if outcome.state == LOST and outcome.worker == slot.name:  # its process is spoilt
                slot.deaths.add(outcome.name)
                return outcomes + self._bury(slot, outcome.error, running=False)
            if outcome.state != LOST:
                slot.deaths.clear()
        return outcomes

    def _bury(self, slot: Slot, reason: str, *, running: bool = True) -> list[Outcome]:
        """Replace the actor of a slot, which is dead.

        Args:
            running: whether it did the first of its tasks.
        """
        outcomes: list[Outcome] = []
        hello, slot.hello = slot.hello, None
        jobs, slot.jobs = slot.jobs, []
        for job in jobs:
            outcome = _answer_before_death(job) if running else None
            if outcome is not None:
                slot.deaths.clear()
                outcomes.append(outcome)
            elif running:
                running = False
                slot.deaths.add(job.task.name)
                outcomes.append(job.lost(slot.name, f"its worker died: {reason}"))
            else:
                self._again.append(job)
        ray.kill(slot.actor)  # one that only can't be reached would go on
        if hello is not None:
            slot.starts += 1
        logging.info("The worker %s died: %s", slot.name or f"ray{slot.number}", reason)
        if slot.died:
            slot.reason = f"{slot.died} died one after the other. The last: {reason}"
        else:
            self._fill(slot)
        return outcomes


def _answer_before_death(job: Job) -> Outcome | None:
    """The outcome of a task that its actor has ended before it died; None if it has not."""
    try:
        return ray.get(job.answer, timeout=FAILS)
    except RayError:
        return None


def _actors(kind: str, workers: int | None) -> Any:
    """The class of actors, with what each needs of a node.

    Args:
        kind: "GPU" or "CPU".
    """
    if kind == "GPU":
        needs: dict[str, float] = {"num_gpus": 1, "num_cpus": 0}  # conditions may take all CPUs
    else:
        needs = {
            "num_cpus": int(not workers or workers <= _size("CPU"))
        }  # more of them share the CPUs
    return ray.remote(RayWorker).options(
        max_restarts=0, max_task_retries=0, scheduling_strategy="SPREAD", **needs
    )


def _size(kind: str) -> float:
    """Number of GPUs or CPUs of the cluster."""
    return ray.cluster_resources().get(kind, 0.0)


def _connect(address: str | None, workers: int | None) -> bool:
    """Connect to a cluster, or start one; False if the program is connected already."""
    if ray.is_initialized():
        return False
    address = address or os.environ.get("RAY_ADDRESS") or None
    check_address(address or "auto")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing leaves the cluster
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    cpus = max(workers or 1, os.cpu_count() or 1)
    with kept_handler():
        try:
            if address != "local":
                try:
                    ray.init(address=address or "auto", **quiet)
                    return True
                except ConnectionError:
                    if address:
                        raise
            ray.init(address="local", num_cpus=cpus, include_dashboard=False, **quiet)
        except (ConnectionError, RuntimeError, ValueError, ImportError) as error:
            reason = shorten(str(error)).rstrip(".")
            raise UserError(f"Ray can't be used: {reason}. {REMEDY}") from error
    return True
