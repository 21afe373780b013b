"""What the modules of this room hand to each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

# What became of a task; the words of the ledger.
DONE = "done"
FAILED = "failed"  # its own fault: the same task would fail again
LOST = "lost"  # a fault of the machine: a worker died, a device failed; the task is tried again
UNUSABLE = "unusable"  # the models of its setup can't be loaded: no task of the setup can be done
HALTED = "halted"  # nothing more can be done: the disk is full


@dataclass(frozen=True)
class Task:
    """A job that a worker does. It can be pickled and written as JSON.

    Attributes:
        id: what the manifest calls it.
        name: of its result: the id and the head of the key.
        key: content key, SHA-256 in hexadecimal digits.
        mode: the command that does it.
        module: the module of the command, by its whole name: it has WORK and SPEC.
        options: JSON form of the command's spec.
        setup: tasks of one setup need the same loaded models.
        inputs: SHA-256 (or another mark of the content) of each file that goes in.
        remote: path in the options -> URL of the file that is to be fetched there.
        seed: of the task, for the ledger; None if its mode has no seed.
    """

    id: str
    name: str
    key: str
    mode: str
    module: str
    options: Mapping[str, Any]
    setup: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    remote: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a task.

    Attributes:
        name: of the task.
        state: DONE, FAILED, LOST, UNUSABLE or HALTED.
        worker: that did it.
        seconds: that it took.
        error: the message that the single command would print; empty if it is done.
        traceback: of a fault of the program; empty otherwise.
        outside: whether it is known that something else than the task ended its worker.
    """

    name: str
    state: str
    worker: str
    seconds: float = 0.0
    error: str = ""
    traceback: str = ""
    outside: bool = False


class Engine(Protocol):
    """Workers that do tasks.

    Attributes:
        workers: number of workers.
    """

    workers: int

    def room(self) -> int:
        """How many tasks can be started now; more than there are free workers, so none waits."""

    def start(self, task: Task, *, attempt: int) -> None:
        """Begin a task.

        Args:
            attempt: 1 for the first try.
        """

    def wait(self, seconds: float) -> list[Outcome]:
        """What has ended; waits up to `seconds` for the first.

        Raises:
            UserError: no worker can do anything any more.
        """

    def close(self) -> None:
        """End all workers; tasks that are not done are given up."""


class Store(Protocol):
    """Where results go. Names have slashes; each process opens its own with `open_store`.

    Attributes:
        address: as it is typed, for messages and for `open_store`.
        exclusive: whether `create` tells two writers apart.
        shared: whether other processes see what is written ("memory://" is of one process).
        appends: whether `append` adds to one file; otherwise it writes another object.
    """

    address: str
    exclusive: bool
    shared: bool
    appends: bool

    def read(self, name: str) -> bytes | None:
        """Content of a small file; None if there is none."""

    def stream(self, name: str) -> Iterator[bytes]:
        """Lines of a file that was written with `append`; none if there is no file."""

    def write(self, name: str, content: bytes) -> None:
        """Write a small file, whole or not at all; it may be there already."""

    def create(self, name: str, content: bytes) -> bool:
        """Write a small file unless it is there; False if it is. One of two writers alone wins."""

    def remove(self, name: str) -> None:
        """Remove a small file; nothing if it is not there."""

    def names(self, folder: str) -> list[str]:
        """Names in a folder, without the folder; none if there is no such folder."""

    def append(self, name: str, lines: bytes) -> None:
        """Append whole lines to a file; other processes may do so at the same time."""

    def done(self) -> set[str]:
        """Names of all results that are whole."""

    def is_done(self, name: str) -> bool:
        """Whether a result is whole."""

    def record(self, name: str) -> dict[str, Any] | None:
        """The record of a result; None if it is not whole."""

    def workspace(self, owner: str, name: str) -> Path:
        """A new empty local folder in which a result is made, then published."""

    def publish(self, folder: Path, name: str, record: Mapping[str, Any]) -> bool:
        """Make a folder a result, with its record; False if the result was there already."""

    def where(self, name: str) -> str:
        """Path or URL of a result."""

    def owners(self) -> list[str]:
        """Who has workspaces that this process can remove."""

    def clean(self, owner: str) -> None:
        """Remove all workspaces of an owner that has ended; a worker of it can't publish them."""
