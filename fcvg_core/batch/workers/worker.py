"""Does one task after the other: conditions, frames, files. Every end is an outcome."""

import functools
import importlib
import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from ...errors import UserError
from ...failures import explain, free_room
from ...files.claim import own_folder
from ...quoting import shorten
from ...standalone.spec.part import one_by_one
from ...standalone.work import UnusableModels, Work
from ..planning.hashes import check_unchanged
from ..store import StoreError, is_full, is_remote
from ..types import DONE, FAILED, HALTED, LOST, UNUSABLE, Outcome, Store, Task
from .machine_faults import is_machine_fault
from .strip import write_strip


@dataclass(frozen=True)
class Prepared:
    """What was made of a task before anything is painted. It can be pickled.

    Attributes:
        value: of `Work.prepare`.
        ending: what became of the task if it has ended already; None if it goes on.
    """

    value: Any = None
    ending: Outcome | None = None


class Worker:
    """Does tasks, and keeps what is loaded from one to the next of the same setup.

    A task may be prepared in a thread while another one is done; apart from this a worker is used
    by one thread.

    Attributes:
        name: in the ledger.
        spoilt: whether a fault of the machine has hit this process: it does nothing more, and a
            new process takes its place.
    """

    def __init__(self, store: Store, owner: str, name: str):
        """A worker that has loaded nothing.

        Args:
            store: where the results go.
            owner: the driver; workspaces bear its name.
            name: in the ledger.
        """
        self.name = name
        self.spoilt = False
        self._store, self._owner = store, owner
        self._maker, self._preparer = _Kept(), _Kept()

    def prepare(self, task: Task) -> Prepared:
        """Make what `do` needs before it paints; never raises but to end the process."""
        began = time.monotonic()
        try:
            with self._local(task) as local:
                return Prepared(self._prepare(_open_work(local), task.setup))
        except Exception as error:  # noqa: BLE001 (one bad task never stops the others)
            return Prepared(ending=self._ending(task, error, began))

    def do(self, task: Task, attempt: int, prepared: Prepared | None = None) -> Outcome:
        """Do a task to its end: its result is published, or the outcome says why not.

        Never raises but to end the process.

        Args:
            attempt: 1 for the first try.
            prepared: of `prepare`, here or in another process; None: the task is prepared first.
        """
        if prepared and prepared.ending:
            return prepared.ending
        began = time.monotonic()
        try:
            self._make(task, attempt, prepared, began)
        except Exception as error:  # noqa: BLE001 (one bad task never stops the others)
            return self._ending(task, error, began)
        return Outcome(task.name, DONE, self.name, time.monotonic() - began)

    def _make(self, task: Task, attempt: int, prepared: Prepared | None, began: float) -> None:
        """Make the result in a workspace and publish it."""
        with self._workspace(task) as folder, self._local(task) as local:
            work = _open_work(local, self._store.where(task.name))
            value = prepared.value if prepared else self._prepare(work, task.setup)
            maker = self._maker.renewed(task.setup, work.open)
            with own_folder(folder) as claim:
                work.finish(maker, value, claim)
                write_strip(folder)
            if not task.remote:  # what was fetched is the worker's own
                check_unchanged(task.inputs, one_by_one(work.spec.paths()))
            facts = {"seconds": round(time.monotonic() - began, 3), "worker": self.name}
            record = _record(task, work.recipe) | facts | {"attempt": attempt}
            self._store.publish(folder, task.name, record)

    def _prepare(self, work: Work, setup: str) -> Any:
        """Prepared by the same maker whether ahead or not: so results do not depend on timing."""
        return work.prepare(self._preparer.renewed(setup, work.open_preparer))

    @contextmanager
    def _workspace(self, task: Task) -> Iterator[Path]:
        """A folder that is gone after the block.

        Raises:
            StoreError: replaces errors in the block if the folder is gone already.
        """
        folder = self._store.workspace(self._owner, task.name)
        try:
            yield folder
        except Exception as error:
            if folder.is_dir():
                raise
            raise StoreError(f"The folder in which {task.name} was made is gone.") from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _local(self, task: Task) -> Iterator[Task]:
        """The task with local inputs only; those that are remote are fetched for the block."""
        if not task.remote:
            yield task
            return
        from ..planning.inputs import fetch_inputs

        with self._workspace(task) as folder:
            yield fetch_inputs(task, folder)

    def _ending(self, task: Task, error: Exception, began: float) -> Outcome:
        """What an error means for the task, and for this worker."""
        state = _state_of(error)
        said = explain(error)
        if state == HALTED and not is_remote(self._store.address):
            # Not as the single command says it: its folder is gone, and another -o begins anew.
            out = Path(self._store.address)
            said = f"The disk of {out} is full.{free_room(out)} Make room there and start the same "
            said += "command again: it goes on."
        if state == LOST:
            self.spoilt = True
        if not isinstance(error, UserError):  # what is loaded may be half moved, or half changed
            self._maker.drop()
            self._preparer.drop()
        fault = state == FAILED and said is None
        return Outcome(
            task.name,
            state,
            self.name,
            time.monotonic() - began,
            said or shorten(f"{type(error).__name__}: {error}"),
            "".join(traceback.format_exception(error)) if fault else "",
        )


class _Kept:
    """The maker of the last task, as long as tasks have its setup."""

    def __init__(self) -> None:
        self._setup: str | None = None
        self._maker: Any = None

    def renewed(self, setup: str, opened: Callable[[Any], Any]) -> Any:
        """The maker of a task; it gets what the last one has loaded, if that has its setup."""
        if setup != self._setup:
            self.drop()  # first, so that two sets of models are never loaded at once
        self._maker = opened(self._maker)
        self._setup = setup
        return self._maker

    def drop(self) -> None:
        """Free what is loaded."""
        self._setup = self._maker = None


def _open_work(task: Task, where: str = "") -> Work:
    """The work of a task whose inputs are local.

    Args:
        where: path or URL of the result, which run.json names.
    """
    module = importlib.import_module(task.module)
    output = {"output": task.name if is_remote(where) else where} if where else {}
    return module.WORK(module.SPEC.from_json({**task.options, **output}))


def _state_of(error: Exception) -> str:
    if is_full(error):
        return HALTED
    if isinstance(error, (UnusableModels, ImportError)):
        return UNUSABLE
    return LOST if is_machine_fault(error) else FAILED


def _record(task: Task, recipe: int) -> dict[str, Any]:
    """What the record says of a task, whoever does it."""
    return {
        "id": task.id,
        "name": task.name,
        "key": task.key,
        "mode": task.mode,
        "recipe": recipe,
        "options": _with_urls(dict(task.options), task.remote),
        "inputs": dict(task.inputs),
        "seed": task.seed,
        "finished": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        "version": _version(),
    }


def _with_urls(value: Any, remote: Mapping[str, str]) -> Any:
    """Options with the URLs that stand for remote files."""
    if isinstance(value, dict):
        return {key: _with_urls(each, remote) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_urls(each, remote) for each in value]
    return remote.get(value, value) if isinstance(value, str) else value


@functools.cache
def _version() -> str:
    """Version of the program; found once, because this takes milliseconds."""
    try:
        return metadata.version("fcvg")
    except metadata.PackageNotFoundError:  # a checkout that was not installed
        return ""
