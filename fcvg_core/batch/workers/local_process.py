"""The process of a local worker: what it does, and how its driver holds it."""

import logging
import multiprocessing
import os
import queue
import signal
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ...errors import UserError
from ...quoting import readable, shorten
from ..types import Outcome, Task

READY, UNABLE, BEGUN, ENDED, LOGGED = "ready", "unable", "begun", "ended", "logged"  # messages
MOST_OUTPUT = 2**20  # bytes of a worker's output that are kept
TAIL = 4096  # bytes of it that are looked at when the worker has died
PATIENCE = 0.5  # seconds for a process to end by itself
KILLED = 9  # SIGKILL, which Windows does not have
POSIX = os.name == "posix"


@dataclass(frozen=True)
class WorkerSettings:
    """What a worker's process is told at its start.

    Attributes:
        address: of the store.
        owner: the driver.
        name: of the worker, for the ledger.
        variables: of the environment, set before anything is loaded.
        ahead: whether tasks that wait are prepared in a thread: only where a GPU does the rest.
    """

    address: str
    owner: str
    name: str
    variables: dict[str, str]
    ahead: bool


class LocalProcess:
    """A worker's process, as its driver sees it.

    Attributes:
        connection: becomes readable if the process has said something, or has ended.
    """

    def __init__(self, settings: WorkerSettings):
        """Start the process; it is not ready yet."""
        context = multiprocessing.get_context("spawn")  # CUDA does not survive a fork
        self._memory_ran_out = _memory_ran_out()
        self._output = tempfile.TemporaryFile() if POSIX else None  # noqa: SIM115 (see `end`)
        self.connection, other = context.Pipe()
        output = _Inherited(self._output.fileno()) if self._output else None
        self._process = context.Process(
            target=serve, args=(other, settings, output), name=settings.name, daemon=True
        )
        try:
            with _without_interrupts():
                self._process.start()
        finally:
            other.close()  # so that the connection ends when the process does

    def send(self, task: Task, attempt: int) -> None:
        """Give it a task; what is sent to a process that has died is lost."""
        with suppress(OSError):
            self.connection.send((task, attempt))

    def receive(self) -> Iterator[tuple[str, Any]]:
        """What the process has said; raises EOFError if it has ended."""
        try:
            while self.connection.poll():
                yield self.connection.recv()
        except OSError as error:  # it was killed within a message
            raise EOFError from error

    def hang_up(self) -> None:
        """Let the process end itself, as if this driver had ended."""
        self.connection.close()

    def end(self) -> "Ending":
        """End the process if it has not ended."""
        self._process.join(PATIENCE)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        code, said = self._process.exitcode, self._tail()
        starved = code == -KILLED and _memory_ran_out() != self._memory_ran_out
        self.connection.close()
        self._process.close()
        if self._output:
            self._output.close()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        if starved:
            how += ", the system's memory ran out"
        known = self._memory_ran_out is not None
        outside = code == -signal.SIGTERM or (code == -KILLED and known and not starved)
        return Ending(f"({how}){said}", outside)

    def _tail(self) -> str:
        """The last line of the output, which may say why the process died."""
        if not self._output:
            return ""
        size = os.fstat(self._output.fileno()).st_size
        # Not `read`: the process shares the position in the file.
        content = os.pread(self._output.fileno(), TAIL, max(size - TAIL, 0))
        lines = content.decode("utf-8", "replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "")
        return f": {shorten(readable(last.strip()))}" if last else ""


@dataclass(frozen=True)
class Ending:
    """How a process has ended.

    Attributes:
        how: for a message: "(signal 9): the last line that it printed".
        outside: whether someone else has surely ended it: not the system, for lack of memory.
    """

    how: str
    outside: bool


def _memory_ran_out() -> int | None:
    """How often this machine has ended a process for lack of memory; None if it does not say."""
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
    except OSError:  # not Linux
        return None
    found = [line.split()[1] for line in lines if line.startswith("oom_kill ")]
    return int(found[0]) if found else None


class _Inherited:
    """A file descriptor that a process inherits; it is pickled while the process is started."""

    def __init__(self, number: int):
        self._number = number

    def __reduce__(self) -> tuple:
        from multiprocessing.reduction import DupFd  # not on Windows

        return _number_of, (DupFd(self._number),)


def _number_of(copy: Any) -> int:
    """The number that an inherited file descriptor has in this process."""
    return copy.detach()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Processes that are started in the block never get the SIGINT of a terminal.

    The driver gets its own after the block. On Windows a process may get one until it ignores it.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def serve(connection: Connection, settings: WorkerSettings, output: int | None) -> None:
    """Do the tasks that come through a connection; ends at once when the driver ends.

    Args:
        output: file descriptor of a file for what the process prints.
    """
    if output is not None:
        os.dup2(output, 1)
        os.dup2(output, 2)
    os.environ.update(settings.variables)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the driver ends its workers
    outbox = _Outbox(connection)
    _log_to(outbox)
    try:
        from ..store import open_store
        from .worker import Worker

        worker = Worker(open_store(settings.address), settings.owner, settings.name)
    except (UserError, ImportError) as error:
        outbox.put(UNABLE, str(error))
        return
    outbox.put(READY)
    pool = ThreadPoolExecutor(1, "prepare") if settings.ahead else None
    tasks: queue.SimpleQueue = queue.SimpleQueue()
    reading = threading.Thread(target=_read, args=(connection, worker, pool, tasks), daemon=True)
    reading.start()
    while not worker.spoilt:
        task, attempt, prepared = tasks.get()
        outbox.put(BEGUN, task.name)
        outbox.put(ENDED, worker.do(task, attempt, prepared.result() if prepared else None))
        _cut_output(output)
    os._exit(0)  # at once: a device that has failed may hang where it is tidied


def _read(
    connection: Connection, worker: Any, pool: ThreadPoolExecutor | None, tasks: queue.SimpleQueue
) -> None:
    """Let tasks wait, and prepare them meanwhile; end the process when the driver has ended."""
    while True:
        try:
            task, attempt = connection.recv()
        except (EOFError, OSError):
            os._exit(1)
        tasks.put((task, attempt, pool.submit(worker.prepare, task) if pool else None))


class _Outbox:
    """What the process says to its driver."""

    def __init__(self, connection: Connection):
        self._connection = connection
        self._lock = threading.Lock()  # a thread that prepares may log

    def put(self, kind: str, content: Outcome | str | tuple | None = None) -> None:
        """Say something; if the driver is not there any more, the process ends."""
        with self._lock:
            try:
                self._connection.send((kind, content))
            except OSError:
                os._exit(1)


class _Sent(logging.Handler):
    """Warnings and errors go to the driver's log."""

    def __init__(self, outbox: _Outbox):
        super().__init__(logging.WARNING)
        self._outbox = outbox

    def emit(self, record: logging.LogRecord) -> None:
        """Say it to the driver."""
        self._outbox.put(LOGGED, (record.levelno, self.format(record)))


def _log_to(outbox: _Outbox) -> None:
    root = logging.getLogger()
    root.handlers[:] = [_Sent(outbox)]
    root.setLevel(logging.WARNING)


def _cut_output(output: int | None) -> None:
    """Begin the file of the output anew if it is long: a batch may print for days."""
    if output is not None and os.fstat(output).st_size > MOST_OUTPUT:
        os.ftruncate(output, 0)
        os.lseek(output, 0, os.SEEK_SET)
