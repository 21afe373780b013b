"""Batches for tests: tasks of `batch_work`, a plan of them, an engine in this process."""

import hashlib
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batch_work import BatchSpec

from fcvg_core.batch.driver.leases import clean_partial, open_leases
from fcvg_core.batch.driver.ledger import Ledger, read_ledger, reconcile
from fcvg_core.batch.driver.runner import Limits, Summary, run_batch
from fcvg_core.batch.store import open_store
from fcvg_core.batch.store.layout import begin, result_name
from fcvg_core.batch.types import Engine, Outcome, Store, Task
from fcvg_core.batch.workers.worker import Worker


def task(name: str = "a", key: str = "", **options: Any) -> Task:
    """A task of `batch_work`; it writes its id unless it is given another text."""
    spec = BatchSpec(**{"text": name, **options})
    key = key or hashlib.sha256(name.encode()).hexdigest()
    return Task(
        id=name,
        name=result_name(name, key),
        key=key,
        mode="batch_work",
        module="batch_work",
        options=spec.to_json(),
        setup=spec.models,
        seed=7,
    )


def tasks(count: int, **options: Any) -> list[Task]:
    """So many tasks: pair0000, pair0001 ..."""
    return [task(f"pair{i:04d}", **options) for i in range(count)]


@dataclass
class PlanOf:
    """A plan of given tasks, of which none was done before."""

    tasks: Iterable[Task]
    total: int
    done: int = 0
    failed_before: int = 0
    faults: list = field(default_factory=list)


def plan_of(given: list[Task], store: Store | None = None, *, retry: bool = False) -> PlanOf:
    """A plan; results and failures of a store are left out, the failures unless `retry`."""
    done = store.done() if store else set()
    failed = {name[:-5] for name in store.names("failed")} - done if store and not retry else set()
    left = [each for each in given if each.name not in done | failed]
    return PlanOf(
        tasks=left,
        total=len(given),
        done=sum(each.name in done for each in given),
        failed_before=sum(each.name in failed for each in given),
    )


class OwnEngine:
    """An engine whose one worker is in this process, for stores that other processes don't see."""

    def __init__(self, store: Store, *, queue: int = 2, workers: int = 1):
        self.workers = workers
        self._worker = Worker(store, "driver", "worker")
        self._tasks: deque[tuple[Task, int]] = deque()
        self._queue = queue
        self.closed = False

    def room(self) -> int:
        return self._queue - len(self._tasks)

    def start(self, task: Task, *, attempt: int) -> None:
        self._tasks.append((task, attempt))

    def wait(self, seconds: float) -> list[Outcome]:
        return [self._worker.do(*self._tasks.popleft())] if self._tasks else []

    def close(self) -> None:
        self.closed = True


def run(
    given: list[Task],
    folder: Path | str,
    engine: Engine | None = None,
    *,
    driver: str = "driver",
    ends_after: float = 60.0,
    retry: bool = False,
    watch=lambda counts: None,
    **limits: Any,
) -> Summary:
    """Run tasks as the command does: leases, ledger, what an earlier driver left, then the loop."""
    store = open_store(str(folder))
    begin(store)
    leases = open_leases(store, driver, ends_after=ends_after)
    ledger = Ledger(store, driver)
    try:
        clean_partial(store, leases)
        reconcile(store, ledger, leases)
        return run_batch(
            plan_of(given, store, retry=retry),
            store=store,
            engine=engine or OwnEngine(store),
            leases=leases,
            ledger=ledger,
            limits=Limits(**limits),
            watch=watch,
        )
    finally:
        ledger.close()
        leases.close()


def states(folder: Path | str) -> dict[str, Counter]:
    """How often each state is in the ledger, by the id of the task."""
    found: dict[str, Counter] = {}
    for line in read_ledger(open_store(str(folder))):
        found.setdefault(line["id"], Counter())[line["state"]] += 1
    return found


def check_once(folder: Path, given: list[Task]) -> None:
    """Assert that each task has one whole result and one line, and that nothing else is left."""
    store = open_store(str(folder))
    assert store.done() == {each.name for each in given}
    for each in given:
        record = store.record(each.name)
        assert record and record["id"] == each.id and record["key"] == each.key
        for name, size in record["files"].items():
            assert (folder / "results" / each.name / name).stat().st_size == size
    wrong = {id: count for id, count in states(folder).items() if count["done"] != 1}
    assert not wrong
    assert not list(folder.glob("claims/*"))
    assert not list(folder.glob("failed/*"))
