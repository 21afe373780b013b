"""The rows of a manifest become tasks; what is done already is left out."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ...errors import UserError
from ...folder_names import id_twin
from ...quoting import in_short, quote
from ..manifest import Manifest, Row
from ..store.layout import split_name
from ..store.records import failed_names
from ..types import Store, Task
from .conflicts import difference
from .drafts import Draft, Fault, Mode, Reader
from .hashes import Hashes
from .keys import in_shard
from .packed import PackedTasks

__all__ = ["Fault", "Mode", "Plan", "make_plan"]

AT_ONCE = 256  # rows whose files are read together
SHOWN = 5  # ids in a message


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        tasks: those that are to be done; they can be gone through again.
        total: rows of the manifest, or of the share.
        done: rows whose results are there.
        failed_before: rows that failed before and are not tried again.
        faults: rows whose options or files are wrong.
        outdated: names of failures that are of earlier options or files of these ids.
        conflict: why nothing may be done: there are results of these ids that were made with other
            options or files. Empty if there are none.
    """

    tasks: PackedTasks
    total: int
    done: int
    failed_before: int
    faults: list[Fault]
    outdated: list[str] = field(default_factory=list)
    conflict: str = ""


def make_plan(
    manifest: Manifest,
    modes: Mapping[str, Mode],
    *,
    store: Store,
    mode: str,
    settings: Mapping[str, str],
    hashes: Hashes,
    shard: tuple[int, int] | None = None,
    retry_failed: bool = False,
    changed: bool = False,
) -> Plan:
    """The tasks of a manifest. Every input is read; nothing is written but hashes.

    Args:
        modes: the commands that can be done, by their names.
        store: where the results go.
        mode: the command of rows that name none.
        settings: options, as they are typed, of all rows whose command has them; what a row has
            wins.
        hashes: marks of files that were read before.
        shard: number of the share that is done, from 0, and number of all shares.
        retry_failed: whether what failed before is tried again.
        changed: whether ids that have results of other options or files are made again.

    Raises:
        UserError: a setting is wrong.
        StoreError: a store of inputs does not answer.
    """
    rows = [row for row in manifest.rows if in_shard(row.id, shard)]
    _check_settings({row.mode or mode for row in manifest.rows} or {mode}, modes, settings)
    reader = Reader(manifest, modes, settings)
    sorter = _Sorter(store, rows, retry_failed=retry_failed, changed=changed)
    for row, found in _read_all(rows, reader, hashes, mode):
        if isinstance(found, Fault):
            sorter.add_fault(found)
        else:
            sorter.add(found, line=row.line, recipe=modes[found.mode].recipe)
    return Plan(
        tasks=sorter.tasks,
        total=len(rows),
        done=sorter.done,
        failed_before=sorter.failed_before,
        faults=sorter.faults,
        outdated=sorter.outdated,
        conflict=sorter.conflict(),
    )


def _check_settings(used: set[str], modes: Mapping[str, Mode], settings: Mapping[str, str]) -> None:
    """Raise UserError if a setting has a wrong value, or no mode that is used has it."""
    if not settings:
        return
    unknown = set(settings)
    for name in used:
        try:
            unknown &= set(modes[name].unknown(settings))
        except UserError as error:
            raise UserError(f"--set: {error}") from error
    if unknown:
        names = in_short(sorted(map(quote, unknown)), between=", ")
        raise UserError(
            f"--set: there is no option {names} of {' or '.join(sorted(used))}: correct the name, "
            "or leave it out."
        )


def _read_all(
    rows: list[Row], reader: Reader, hashes: Hashes, mode: str
) -> Iterator[tuple[Row, Task | Fault]]:
    """Each row with its task, or with what is wrong with it."""
    left = iter(rows)
    while some := list(itertools.islice(left, AT_ONCE)):
        drafts = [reader.draft(row, row.mode or mode) for row in some]
        whole = [draft for draft in drafts if isinstance(draft, Draft)]
        marks = iter(hashes.marks([file for draft in whole for file in draft.files.values()]))
        hashes.save()
        for row, draft in zip(some, drafts, strict=True):
            if isinstance(draft, Fault):
                yield row, draft
                continue
            found = dict(zip(draft.files, itertools.islice(marks, len(draft.files)), strict=True))
            wrong = [str(mark) for mark in found.values() if isinstance(mark, UserError)]
            if wrong:
                yield row, reader.fault(row, draft.mode.name, " ".join(dict.fromkeys(wrong)))
            else:
                yield row, draft.task(found)


class _Sorter:
    """Sorts tasks by what OUT has of them."""

    def __init__(self, store: Store, rows: list[Row], *, retry_failed: bool, changed: bool):
        self.tasks = PackedTasks()
        self.done = self.failed_before = 0
        self.faults: list[Fault] = []
        self.outdated: list[str] = []
        self._store, self._retry, self._changed = store, retry_failed, changed
        wanted = {id_twin(row.id) for row in rows}
        self._done = _by_id(store.done(), wanted)
        self._failed = _by_id(failed_names(store), wanted)
        self._conflicts: list[str] = []
        self._more = 0  # conflicts that are not shown

    def add(self, task: Task, *, line: int, recipe: int) -> None:
        """Put a task where it belongs."""
        twin = id_twin(task.id)
        earlier = self._done.get(twin, [])
        has_failed = self._sort_failures(twin, task.name)
        if task.name in earlier:
            self.done += 1
            return
        if earlier and not self._changed:
            if len(self._conflicts) < SHOWN:
                differs = difference(self._store.record(earlier[-1]), task, recipe)
                self._conflicts.append(f"{task.id}: {differs}")
            else:
                self._more += 1
        if has_failed and not self._retry:
            self.failed_before += 1
            return
        self.tasks.add(task, line=line)

    def add_fault(self, fault: Fault) -> None:
        """Note a row that can't be done."""
        self._sort_failures(id_twin(fault.id), fault.name)
        self.faults.append(fault)

    def conflict(self) -> str:
        """Which results of other options or files OUT has; empty if there are none."""
        if not self._conflicts:
            return ""
        more = [f"and {self._more} more"] if self._more else []
        shown = "\n".join(f"  {each}" for each in (*self._conflicts, *more))
        count = len(self._conflicts) + self._more
        has = "1 of these ids has a result" if count == 1 else f"{count} of these ids have results"
        return (
            f"In {self._store.address}, {has} of other options or files:\n{shown}\n"
            "Choose another folder with -o, or give --changed to make them again beside the "
            "earlier results."
        )

    def _sort_failures(self, twin: str, name: str) -> bool:
        """Whether this very task has failed before; other failures of its id are outdated."""
        failed = self._failed.get(twin, [])
        self.outdated += [other for other in failed if other != name]
        return name in failed


def _by_id(names, wanted: set[str]) -> dict[str, list[str]]:
    """Names by the ids that they begin with, of the ids that are wanted."""
    found: dict[str, list[str]] = {}
    for name in sorted(names):
        twin = id_twin(split_name(name)[0])
        if twin in wanted:
            found.setdefault(twin, []).append(name)
    return found
