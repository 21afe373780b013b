"""Drivers: what tells one from another, and whether one is alive.

No clock of another machine is read. A driver writes a counter; who observes it measures with its
own clock how long the counter stands still.
"""

import json
import logging
import os
import platform
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import UserError
from ..store import layout
from ..store.records import parse_record
from ..types import Store

BEATS = 6  # in the time after which a driver counts as dead
LONGEST = 86400.0  # seconds; a longer time in the file of another driver is not believed


def steady_clock() -> float:
    """Seconds of a clock that never goes back; on Linux it goes on while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def driver_name() -> str:
    """A new name for this process as a driver: its machine, its number, and a random part."""
    machine = "".join(c if c.isascii() and c.isalnum() else "-" for c in platform.node())
    return f"{machine[:40].strip('-') or 'machine'}-{os.getpid()}-{secrets.token_hex(4)}"


def this_process() -> dict[str, Any] | None:
    """What tells this process from all others of all machines; None where the system hides it."""
    pid = os.getpid()
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = os.readlink("/proc/self/ns/pid")
        return {"host": platform.node(), "boot": boot, "space": space, "pid": pid, **_born(pid)}
    except (OSError, ValueError):
        return None


def is_gone(process: Any) -> bool:
    """Whether a process surely has ended: it was one of this machine, and it is not there."""
    here = this_process()
    if here is None or not isinstance(process, dict):
        return False
    pid = process.get("pid")
    same = all(process.get(name) == here[name] for name in ("host", "boot", "space"))
    if not same or type(pid) is not int:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):  # of another user
        pass
    try:
        return _born(pid)["born"] != process.get("born")
    except _Ended:
        return True
    except (OSError, ValueError):
        return False


class _Ended(Exception):  # noqa: N818 (it is no error)
    """A process has ended, and its parent does not know yet."""


def _born(pid: int) -> dict[str, int]:
    """When a process began, in ticks since its machine did; `_Ended` if it has ended."""
    state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    if state in "ZX":
        raise _Ended
    return {"born": int(fields[18])}


@dataclass
class _Seen:
    """What was seen of a driver's heartbeat, and for how long it has stood still."""

    content: bytes | None
    at: float  # on the observer's clock
    still: float = 0.0  # seconds


class Drivers:
    """Watches heartbeats of other drivers.

    Args:
        ends_after: seconds for which a counter stands still until its driver counts as dead; a
            driver that says that it waits longer is given that time.
        clock: seconds of a clock of this machine that never goes back.
    """

    def __init__(self, store: Store, *, ends_after: float, clock: Callable[[], float]):
        self._store = store
        self._ends_after = ends_after
        self._clock = clock
        self._seen: dict[str, _Seen] = {}
        self._lock = threading.Lock()

    def is_dead(self, driver: str) -> bool:
        """Whether a driver counts as dead; the first look at a driver begins to measure."""
        content = self._store.read(f"{layout.DRIVERS}/{driver}")
        says = parse_record(content) or {}
        if is_gone(says.get("process")):
            return True
        now = self._clock()
        with self._lock:
            seen = self._seen.setdefault(driver, _Seen(content, now))
            if seen.content != content:
                seen.content, seen.still = content, 0.0
            else:
                # While this process was stopped itself, it can't say that another one was.
                seen.still += min(now - seen.at, 2 * self._ends_after / BEATS)
            seen.at = now
            return seen.still >= max(self._ends_after, _seconds(says.get("ends_after")))

    def look(self) -> None:
        """Look at every driver that is watched, so that time is measured between two questions."""
        for driver in list(self._seen):
            self.is_dead(driver)

    def forget(self, driver: str) -> None:
        """Watch a driver no longer."""
        with self._lock:
            self._seen.pop(driver, None)

    def all(self) -> list[str]:
        """Names of all drivers that have a heartbeat or had one when they died."""
        return self._store.names(layout.DRIVERS)


class Heartbeat:
    """Writes the counter of this driver until `stop`.

    Args:
        ends_after: seconds after which others may count this driver as dead.
        each_beat: called after each beat, in the thread of the heartbeat.

    Attributes:
        gaps: how often so much time passed between two beats that others may have acted.
    """

    def __init__(
        self,
        store: Store,
        driver: str,
        *,
        ends_after: float,
        clock: Callable[[], float] = steady_clock,
        each_beat: Callable[[], None] = lambda: None,
    ):
        self._store = store
        self._driver = driver
        self._ends_after = ends_after
        self._clock = clock
        self._each_beat = each_beat
        self.gaps = 0
        self._count = 0
        self._last = clock()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def late(self) -> bool:
        """Whether the last beat is so long ago that others may count this driver as dead."""
        return self._clock() - self._last >= self._ends_after

    def start(self) -> None:
        """Write the first beat, and go on in a thread.

        Raises:
            UserError: the beat can't be written.
        """
        self.beat()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def beat(self) -> None:
        """Write the next count; raises UserError if it can't be written."""
        with self._lock:
            began = self._clock()
            self._count += 1
            values = {
                "count": self._count,
                "ends_after": self._ends_after,
                "process": this_process(),
            }
            self._store.write(f"{layout.DRIVERS}/{self._driver}", json.dumps(values).encode())
            if self._clock() - self._last >= self._ends_after / 2:
                self.gaps += 1
            self._last = began

    def stop(self) -> None:
        """End the thread; the last counter stays."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        failing = False
        while not self._closed.wait(self._ends_after / BEATS):
            try:
                self.beat()
                self._each_beat()
                failing = False
            except UserError as error:
                if not failing:
                    logging.warning("The heartbeat of this driver can't be written. %s", error)
                failing = True


def _seconds(value: Any) -> float:
    return min(float(value), LONGEST) if type(value) in (int, float) else 0.0
