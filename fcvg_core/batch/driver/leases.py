"""Which driver does a task now. Leases save double work; `publish` alone keeps results whole.

A claim is a small file that only one driver can create: `claims/NAME.0`. A driver that is killed
leaves its claims. Who finds out that the driver is dead creates the successor of its claim, whose
name holds a hash of the dead claim: only one driver can do so, and a claim has one successor for
ever. Who ends a task removes the claims of its name, the first one first. So a successor that is
made too late has no chain that leads to it, and its maker sees this.
"""

import hashlib
import json
import logging
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from ...errors import UserError
from ..store import layout
from ..store.records import parse_record
from ..types import Store
from .drivers import BEATS, Drivers, Heartbeat, steady_clock

ENDS_AFTER = 60.0  # seconds without a beat, until a driver counts as dead
FIRST = ".0"  # ending of the first claim of a name
TIDYING = "tidying"  # lease of the driver that tidies up after others; no task has this name
_DRIVER = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class _Claim:
    """A claim file: its name in the store and its content."""

    path: str
    content: bytes

    @property
    def driver(self) -> str:
        """Who made it; a name that no driver has if the content is damaged."""
        driver = (parse_record(self.content) or {}).get("driver")
        if isinstance(driver, str) and _DRIVER.fullmatch(driver):
            return driver
        return f"unknown-{_short_hash(self.path.encode())}"

    def successor(self, name: str) -> str:
        """Name of the file that takes this claim over."""
        return f"{layout.CLAIMS}/{name}.{_short_hash(self.content)}"


@dataclass(frozen=True)
class _Held:
    """A task that this driver has.

    Attributes:
        chain: its claims, the own one last.
        gaps: of the heartbeat, just before it was taken.
    """

    chain: list[_Claim]
    gaps: int


def _short_hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


class Leases:
    """The tasks that this driver does now, and a heartbeat that tells others that it lives.

    Args:
        store: where the claims are.
        driver: name of this driver, of letters, digits, . _ and -; see `driver_name`.
        ends_after: seconds of the observer's own clock for which a heartbeat stands still until its
            driver's claims may be taken over.
        clock: seconds of a clock of this machine that never goes back.
    """

    def __init__(
        self,
        store: Store,
        driver: str,
        *,
        ends_after: float = ENDS_AFTER,
        clock: Callable[[], float] = steady_clock,
    ):
        self.driver = driver
        self._store = store
        self._drivers = Drivers(store, ends_after=ends_after, clock=clock)
        self._heartbeat = Heartbeat(
            store, driver, ends_after=ends_after, clock=clock, each_beat=self._drivers.look
        )
        self._held: dict[str, _Held] = {}  # by the name of the task

    @property
    def held(self) -> set[str]:
        """Names of the tasks that this driver has taken and not released."""
        return set(self._held)

    def start(self) -> None:
        """Begin the heartbeat, and to watch the other drivers.

        Raises:
            UserError: the store can't be written.
        """
        self._heartbeat.start()
        for driver in self.others():
            self.is_dead(driver)

    def take(self, name: str) -> bool:
        """Take a task; False if another driver has it, or has just ended it.

        A task that was taken may have been done by others before: look at the store afterwards.
        """
        if name in self._held and self.still_held(name):
            return True
        self._held.pop(name, None)
        gaps = self._heartbeat.gaps  # before there is a claim that others may take over
        content = json.dumps({"driver": self.driver, "claim": secrets.token_hex(8)}).encode()
        chain: list[_Claim] = []
        path = f"{layout.CLAIMS}/{name}{FIRST}"
        while True:
            made = self._store.create(path, content)
            found = None if made else self._store.read(path)
            if made or found == content:  # a bucket may say no to the repetition of a lost request
                return self._keep(name, [*chain, _Claim(path, content)], gaps)
            if found is None:  # it was released at this moment
                return False
            chain.append(_Claim(path, found))
            path = chain[-1].successor(name)
            # A claim that has a successor counts no more, even if nothing tells of its driver now.
            if self._store.read(path) is None and not self.is_dead(chain[-1].driver):
                return False

    def release(self, name: str) -> None:
        """Let a task go; nothing if another driver has taken it over."""
        if self.still_held(name):
            for claim in self._held[name].chain:
                self._store.remove(claim.path)
        self._held.pop(name, None)

    def still_held(self, name: str) -> bool:
        """Whether no other driver has taken a task over, for example while this one slept."""
        if name not in self._held:
            return False
        held = self._held[name]
        own = held.chain[-1]
        if self._heartbeat.late:  # others count this driver as dead, until they see a beat
            try:
                self._heartbeat.beat()
            except UserError:
                return False
        elif not self._store.appends and held.gaps == self._heartbeat.gaps and own is held.chain[0]:
            return True  # nobody has had a reason to take it over: requests to a bucket are saved
        # A driver whose claim was taken over may have removed the claim, if it was only stopped.
        if any(self._store.read(claim.path) != claim.content for claim in held.chain):
            return False
        return self._store.read(own.successor(name)) is None

    def waiting_for(self, name: str) -> str:
        """The driver that has a task; empty if none has it."""
        driver, path = "", f"{layout.CLAIMS}/{name}{FIRST}"
        while (content := self._store.read(path)) is not None:
            claim = _Claim(path, content)
            driver, path = claim.driver, claim.successor(name)
        return driver

    def claimed(self) -> set[str]:
        """Names of all tasks that some driver has, dead or alive."""
        found = self._store.names(layout.CLAIMS)
        return {name.removesuffix(FIRST) for name in found if name.endswith(FIRST)}

    def others(self) -> list[str]:
        """Names of the other drivers, dead or alive."""
        return [driver for driver in self._drivers.all() if driver != self.driver]

    def is_dead(self, driver: str) -> bool:
        """Whether a driver counts as dead. The first question begins to measure its silence."""
        return driver != self.driver and self._drivers.is_dead(driver)

    def forget(self, driver: str) -> None:
        """Remove what is left of a driver that has ended."""
        self._drivers.forget(driver)
        self._store.remove(f"{layout.DRIVERS}/{driver}")

    def close(self) -> None:
        """Release all tasks, remove the workspaces of this driver and end its heartbeat.

        If the store can't be reached, what is left counts as a dead driver's for the others.
        """
        self._heartbeat.stop()
        try:
            for name in list(self._held):
                self.release(name)
            self._store.clean(self.driver)
            self._store.remove(f"{layout.DRIVERS}/{self.driver}")
        except UserError as error:
            logging.warning("This driver could not sign off. %s", error)

    def _keep(self, name: str, chain: list[_Claim], gaps: int) -> bool:
        """Note a claim that was made, unless what it takes over was released meanwhile."""
        first, own = chain[0], chain[-1]
        if own is not first and self._store.read(first.path) != first.content:
            self._store.remove(own.path)
            return False
        self._held[name] = _Held(chain, gaps)
        return True


def open_leases(
    store: Store,
    driver: str,
    *,
    alone: bool = False,
    ends_after: float = ENDS_AFTER,
    clock: Callable[[], float] = steady_clock,
    sleep: Callable[[float], None] = time.sleep,
) -> Leases:
    """Leases with a heartbeat that beats.

    Args:
        alone: whether this driver's tasks are its own anyway (`--shard`).
        sleep: waits for a number of seconds.

    Raises:
        UserError: the store can't tell two drivers apart, and another driver works there; or the
            store can't be written.
    """
    leases = Leases(store, driver, ends_after=ends_after, clock=clock)
    leases.start()
    if store.exclusive or alone:
        return leases
    try:
        _check_alone(store, leases, ends_after, sleep)
    except BaseException:
        leases.close()
        raise
    return leases


def clean_partial(store: Store, leases: Leases) -> None:
    """Remove what drivers that have ended left: workspaces, claims, heartbeats.

    A driver of another machine counts as dead only after its silence was watched, so what it left
    may stay until a later call. One driver at a time tidies up, see also `reconcile`.
    """
    if leases.take(TIDYING):
        try:
            _clean(store, leases)
        finally:
            leases.release(TIDYING)


def _clean(store: Store, leases: Leases) -> None:
    """Do what `clean_partial` says, as the only driver that does so now."""
    owners = store.owners()  # before the drivers: one that has just begun has its heartbeat first
    drivers = set(leases.others())
    dead = {driver for driver in drivers if leases.is_dead(driver)}
    for owner in owners:
        if owner in dead or owner not in drivers | {leases.driver}:
            store.clean(owner)
    for name in leases.claimed() - leases.held:
        if leases.take(name):
            leases.release(name)
    for path in store.names(layout.CLAIMS):
        name, _, ending = path.rpartition(".")
        if f".{ending}" != FIRST and store.read(f"{layout.CLAIMS}/{name}{FIRST}") is None:
            store.remove(f"{layout.CLAIMS}/{path}")  # no chain leads to this successor any more
    for driver in dead:
        leases.forget(driver)


def _check_alone(
    store: Store, leases: Leases, ends_after: float, sleep: Callable[[float], None]
) -> None:
    """Watch the other heartbeats; raise UserError as soon as one beats."""
    others = {driver: store.read(f"{layout.DRIVERS}/{driver}") for driver in leases.others()}
    while others := {one: seen for one, seen in others.items() if not leases.is_dead(one)}:
        for driver, seen in others.items():
            if store.read(f"{layout.DRIVERS}/{driver}") != seen:
                raise UserError(
                    f"The driver {driver} works on {store.address}, and this store can't tell two "
                    "drivers apart (it has no conditional writes). Wait until that driver has "
                    "ended, or give each driver its part of the tasks with --shard."
                )
        sleep(ends_after / BEATS)
