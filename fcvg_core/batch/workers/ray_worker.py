"""What a Ray cluster does on its nodes: an actor that does tasks, and a task that prepares one."""

import functools
import os
import socket
from typing import Any

from ..types import Outcome, Task


class RayWorker:
    """A worker in a process of a node.

    Args:
        store_address: of the store, as this node can open it.
        owner: of the workspaces.
        number: of the worker in its batch.
    """

    def __init__(self, store_address: str, owner: str, number: int):
        self._name = f"ray{number}@{socket.gethostname()}"
        self._worker = _open_worker(store_address, owner, self._name)

    def hello(self) -> str:
        """The worker's name, when it can do tasks."""
        return self._name

    def do(self, task: Task, attempt: int, prepared: Any) -> Outcome:
        """Do a task.

        Args:
            attempt: 1 for the first try.
            prepared: its conditions; None if they are still to be made.
        """
        return self._worker.do(task, attempt, prepared)


def prepare(store_address: str, owner: str, task: Task) -> Any:
    """Conditions of a task, made by a process without a GPU.

    If they fail, the actor that gets the task makes them again, and says why they fail.
    """
    return _open_preparer(store_address, owner).prepare(task)


@functools.lru_cache(maxsize=1)
def _open_preparer(store_address: str, owner: str) -> Any:
    """What a process has loaded serves all its tasks."""
    name = f"conditions{os.getpid()}@{socket.gethostname()}"
    return _open_worker(store_address, owner, name)


def _open_worker(store_address: str, owner: str, name: str) -> Any:
    from ..store import open_store  # where the work is done: the driver needs none of it
    from .worker import Worker

    return Worker(open_store(store_address), owner, name)
