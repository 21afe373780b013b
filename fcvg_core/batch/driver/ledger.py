"""The ledger: a line for everything that happened to a task. It is a log: the state is the store's.

A line has time (ISO, UTC), id, name, state, seconds, seed, worker, attempt, error and driver.
"""

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

from ..store import layout
from ..store.records import parse_record
from ..types import DONE, Store, Task
from .leases import TIDYING, Leases

LINES = 1000  # that wait at most, where a store can't append
SECONDS = 60.0  # for which they wait at most


class Ledger:
    """Writes lines. A store that can't append gets an object for many lines.

    Args:
        driver: named in each line.
        clock: seconds of a clock that never goes back.
    """

    def __init__(self, store: Store, driver: str, *, clock: Callable[[], float] = time.monotonic):
        self._store = store
        self._driver = driver
        self._clock = clock
        self._lines: list[bytes] = []
        self._flushed = clock()

    def note(self, task: Task | str, state: str, **facts: Any) -> None:
        """Add a line.

        Args:
            task: or its name.
            state: DONE, FAILED ... or another word: "started", "given up".
            facts: seconds, seed, worker, attempt, error; others are kept too, None is left out.

        Raises:
            UserError: the disk is full, or can't be written.
        """
        name = task if isinstance(task, str) else task.name
        values = {"time": now(), "id": layout.split_name(name)[0], "name": name, "state": state}
        if isinstance(task, Task):
            values["seed"] = task.seed
        values |= {**facts, "driver": self._driver}
        values = {key: value for key, value in values.items() if value is not None}
        self._lines.append(json.dumps(values).encode() + b"\n")
        late = self._clock() - self._flushed >= SECONDS
        if self._store.appends or late or len(self._lines) >= LINES:
            self.flush()

    def flush(self) -> None:
        """Write lines that wait; those that can't be written wait on."""
        if self._lines:
            self._store.append(layout.LEDGER, b"".join(self._lines))
        self._lines = []
        self._flushed = self._clock()

    def close(self) -> None:
        """Write all lines."""
        self.flush()


def now() -> str:
    """The time as ISO 8601 in UTC, in milliseconds."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_ledger(store: Store) -> Iterator[dict[str, Any]]:
    """All lines, in the order in which they were written; torn lines are left out."""
    for line in store.stream(layout.LEDGER):
        values = parse_record(line)
        if values is not None:
            yield values


def reconcile(store: Store, ledger: Ledger, leases: Leases) -> int:
    """Add the line of each result whose driver was killed before it could write the line.

    One driver at a time does so. Results of tasks that a driver has now are left to that driver;
    tasks of a dead one are taken over, in case it is only stopped and comes back.
    Where lines wait before they are written, nothing is added while another driver may be alive.

    Returns:
        Number of added lines.
    """
    if not store.appends and not all(map(leases.is_dead, leases.others())):
        return 0
    held = leases.held
    if not leases.take(TIDYING):
        return 0
    try:
        ledger.flush()
        # In this order: a driver adds its line before it releases a task.
        missing = store.done() - held
        missing -= {name for name in leases.claimed() & missing if not leases.take(name)}
        for name in _done(store):
            missing.discard(name)
        for name in sorted(missing):
            _add(store, ledger, name)
        ledger.flush()
        return len(missing)
    finally:
        for name in leases.held - held:
            leases.release(name)


def _done(store: Store) -> Iterator[str]:
    """Names of the results that have a line."""
    for line in store.stream(layout.LEDGER):
        values = parse_record(line) if DONE.encode() in line else None
        if values and values.get("state") == DONE and isinstance(values.get("name"), str):
            yield values["name"]


def _add(store: Store, ledger: Ledger, name: str) -> None:
    """Add the line of a result from its record."""
    record = store.record(name) or {}
    facts = {key: record.get(key) for key in ("seed", "seconds", "worker", "attempt", "finished")}
    ledger.note(name, DONE, **facts, reconciled=True)
