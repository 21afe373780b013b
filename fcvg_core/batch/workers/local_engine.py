"""Workers on this machine: one process a GPU, or one on the CPU."""

import logging
import os
import shutil
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from ...errors import UserError
from ..store import layout, open_store
from ..types import LOST, Outcome, Task
from .local_process import BEGUN, ENDED, LOGGED, READY, UNABLE, Ending, LocalProcess, WorkerSettings

QUEUE = 2  # tasks that a worker has: one that runs and one that waits
MOST_STARTS = 3  # in a row without being ready, until a worker is given up
STARTS_OUTSIDE = 0.1  # what a start counts if someone has killed the process
MOST_FAULTS = 3  # of a device, in a row, until its worker is given up
MOST_TIMES = 3  # that the same text of a worker is logged
MOST_TEXTS = 1000  # that are logged
VISIBLE = "CUDA_VISIBLE_DEVICES"


class LocalEngine:
    """Processes that do tasks; one that dies is started again. See `Engine`.

    Attributes:
        workers: number of processes.
    """

    def __init__(
        self,
        store_address: str,
        *,
        workers: int | None = None,
        devices: list[str] | None = None,
        owner: str,
    ):
        """Start the processes.

        Args:
            store_address: as `open_store` takes it.
            workers: number of processes; None: one for each device, or one.
            devices: GPUs as CUDA_VISIBLE_DEVICES names them; none: the CPU; None: they are found.
            owner: name of the driver.

        Raises:
            UserError: the store can't be opened by other processes.
        """
        self._store = open_store(store_address)
        if not getattr(self._store, "shared", True):
            raise UserError(
                f"Other processes don't see what is in {store_address}: use a folder, or a bucket."
            )
        devices = find_devices() if devices is None else devices
        self.workers = workers or len(devices) or 1
        self._owner = owner
        self._handed_back: deque[tuple[Task, int]] = deque()  # no worker has begun them
        self._closed = False
        self._reason = ""  # why the last worker was given up
        variables, said = _variables(devices, self.workers), {}
        self._slots = [
            _Slot(WorkerSettings(store_address, owner, _worker_name(i), each, bool(devices)), said)
            for i, each in enumerate(variables, 1)
        ]

    def room(self) -> int:
        """How many tasks can be started now: each worker has one that runs and one that waits."""
        return sum(QUEUE - len(slot.tasks) for slot in self._living()) - len(self._handed_back)

    def start(self, task: Task, *, attempt: int) -> None:
        """Give a task to the worker that has least to do.

        Args:
            attempt: 1 for the first try.
        """
        self._handed_back.append((task, attempt))
        self._hand_out()

    def wait(self, seconds: float) -> list[Outcome]:
        """What has ended; waits up to `seconds` for the first. Processes that died are replaced.

        Raises:
            UserError: no worker can be started.
        """
        until = time.monotonic() + seconds
        ended: list[Outcome] = []
        while True:
            living = {slot.process.connection: slot for slot in self._living()}
            if not living:
                if ended:
                    return ended
                raise UserError(self._reason or "All workers have ended.")
            left = 0.0 if ended else max(until - time.monotonic(), 0.0)
            ready = wait(list(living), left)
            for connection in ready:
                ended += self._hear(living[connection])
            self._hand_out()
            if ended or not ready:
                return ended

    def close(self) -> None:
        """End all processes, and remove what they have left half made."""
        living = self._living()
        for slot in living:
            slot.process.hang_up()  # all at the same time
        for slot in living:
            slot.end()
        self._handed_back.clear()
        if not self._closed:
            self._store.clean(self._owner)
        self._closed = True

    def _living(self) -> list["_Slot"]:
        return [slot for slot in self._slots if slot.process is not None]

    def _hand_out(self) -> None:
        """Give tasks that no worker has to those that have least to do."""
        while self._handed_back and (living := self._living()):
            slot = min(living, key=lambda each: len(each.tasks))
            if len(slot.tasks) >= QUEUE:
                return
            slot.give(*self._handed_back.popleft())

    def _hear(self, slot: "_Slot") -> list[Outcome]:
        """What a worker says; if it has died, it is replaced."""
        ended: list[Outcome] = []
        try:
            for kind, content in slot.process.receive():
                ended += slot.note(kind, content)
        except EOFError:
            ended += self._replace(slot)
        return ended

    def _replace(self, slot: "_Slot") -> list[Outcome]:
        """Start a process again; its running task is lost, those that wait go elsewhere."""
        running, began = slot.running, slot.began
        waiting = [item for item in slot.tasks if item[0].name != running]
        ending = slot.end()
        lost = []
        if running:
            seconds = time.monotonic() - began
            error = f"its worker died {ending.how}"
            name, outside = slot.settings.name, ending.outside
            lost.append(Outcome(running, LOST, name, seconds, error, outside=outside))
            self._remove_workspaces(running)
        self._handed_back.extendleft(reversed(waiting))
        reason = slot.hopeless(ending.how, alone=len(self._living()) == 0)
        if reason:
            self._reason = reason
            logging.warning("%s", reason)
        else:
            slot.begin()
        return lost

    def _remove_workspaces(self, name: str) -> None:
        """Remove what a process has left half made; the process has surely ended."""
        folder = getattr(self._store, "folder", None)
        if isinstance(folder, Path):
            for each in (folder / layout.PARTIAL / self._owner).glob(f"{name}.*"):
                shutil.rmtree(each, ignore_errors=True)


class _Slot:
    """A worker: its process, which may be started again, and its tasks."""

    def __init__(self, settings: WorkerSettings, said: dict[str, int]):
        """Start the process.

        Args:
            said: texts of the log of all workers, and how often each was said.
        """
        self.settings = settings
        self.process: LocalProcess | None = None
        self.tasks: deque[tuple[Task, int]] = deque()
        self.running: str | None = None
        self.began = 0.0
        self._ready = False
        self._unable = ""  # why the process could not begin
        self._starts = 0.0  # in a row without being ready
        self._faults = 0  # of the device, in a row
        self._said = said
        self.begin()

    def begin(self) -> None:
        """Start a process; raises UserError if the system has no room for it."""
        self._ready = False
        try:
            self.process = LocalProcess(self.settings)
        except OSError as error:
            raise UserError(
                f"The process of the worker {self.settings.name} can't be started "
                f"({error.strerror or error}): give fewer --workers, or end other programs."
            ) from error

    def end(self) -> Ending:
        """Forget the process and its tasks; how it has ended."""
        ending = self.process.end()
        if not self._ready:
            self._starts += STARTS_OUTSIDE if ending.outside else 1
        self.process, self.running = None, None
        self.tasks.clear()
        return ending

    def give(self, task: Task, attempt: int) -> None:
        """Add a task to those of the process."""
        self.tasks.append((task, attempt))
        self.process.send(task, attempt)

    def note(self, kind: str, content: Any) -> Iterable[Outcome]:
        """Note what the process says; its outcome, if it is one."""
        if kind == READY:
            self._ready, self._starts = True, 0.0
        elif kind == UNABLE:
            self._unable = content
        elif kind == BEGUN:
            self.running, self.began = content, time.monotonic()
        elif kind == LOGGED:
            self._log(*content)
        elif kind == ENDED:
            self.running = None
            self.tasks.popleft()
            self._faults = self._faults + 1 if content.state == LOST else 0
            return [content]
        return []

    def _log(self, level: int, text: str) -> None:
        """Say what the worker said of a task; the same text only a few times."""
        if text not in self._said and len(self._said) >= MOST_TEXTS:
            return
        self._said[text] = times = self._said.get(text, 0) + 1
        if times <= MOST_TIMES:
            more = " (This is not said again.)" if times == MOST_TIMES else ""
            name = self.tasks[0][0].id if self.running else self.settings.name
            logging.log(level, "%s: %s%s", name, text, more)

    def hopeless(self, how: str, *, alone: bool) -> str:
        """Why the process is not started again; empty if it is.

        Args:
            how: the last one ended.
            alone: whether there is no other worker.
        """
        name = self.settings.name
        if self._unable:
            return f"The worker {name} can't begin: {self._unable}"
        if self._starts >= MOST_STARTS:
            return f"The worker {name} never began: its process ended each time {how}."
        if self._faults >= MOST_FAULTS and not alone:
            return f"The worker {name} is given up: its device has failed {self._faults} times."
        return ""


def find_devices() -> list[str]:
    """GPUs of this machine that PyTorch can use, as CUDA_VISIBLE_DEVICES names them."""
    signs = ("/dev/nvidia0", "/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
    if not any(map(os.path.exists, signs)) and not shutil.which("nvidia-smi"):
        return []  # PyTorch takes seconds to say so
    code = "import torch; print(torch.cuda.device_count())"
    command = [sys.executable, "-c", code]
    try:
        # In another process: a driver needs no PyTorch and none of the GPU's memory.
        said = subprocess.run(command, capture_output=True, text=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        logging.warning("GPUs can't be counted (%s); the CPU is used.", error)
        return []
    words = said.stdout.split()
    count = int(words[-1]) if said.returncode == 0 and words and words[-1].isdigit() else 0
    visible = [each.strip() for each in os.environ.get(VISIBLE, "").split(",") if each.strip()]
    return [visible[i] if i < len(visible) else str(i) for i in range(count)]


def _variables(devices: list[str], workers: int) -> list[dict[str, str]]:
    """Variables of the environment for each worker: its GPU, and its share of the CPU's cores."""
    share: dict[str, str] = {}
    if workers > 1 and "OMP_NUM_THREADS" not in os.environ:
        share["OMP_NUM_THREADS"] = str(max((os.cpu_count() or 1) // workers, 1))
    if not devices:
        return [share] * workers
    return [{**share, VISIBLE: devices[i % len(devices)]} for i in range(workers)]


def _worker_name(number: int) -> str:
    return f"{socket.gethostname()}:{number}"
