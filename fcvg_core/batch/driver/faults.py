"""Failures that are known without a worker: rows that can't be done, and what failed before."""

from collections.abc import Iterator
from itertools import islice

from ..planning.plan import Plan
from ..store.layout import split_name
from ..store.records import failed_names, failed_path, parse_record
from ..types import FAILED, Outcome, Store
from .endings import note_outcome, write_failure
from .ledger import Ledger


def note_faults(plan: Plan, store: Store, ledger: Ledger) -> int:
    """Make failures of the rows that can't be done; forget failures of rows that have changed.

    Returns:
        Number of the failures that no earlier run has made.

    Raises:
        UserError: they can't be written.
    """
    for name in plan.outdated:
        store.remove(failed_path(name))
    known = failed_names(store)
    for fault in plan.faults:
        outcome = Outcome(fault.name, FAILED, worker="", error=fault.message)
        write_failure(store, fault, 0, outcome)
        if fault.name not in known:  # an earlier run has its line
            note_outcome(ledger, fault.name, 0, outcome)
    return sum(fault.name not in known for fault in plan.faults)


def first_failures(store: Store, *, most: int) -> Iterator[tuple[str, str]]:
    """Id and message of failures of a batch.

    Args:
        most: how many are read.
    """
    for name in islice(sorted(failed_names(store)), most):
        record = parse_record(store.read(failed_path(name))) or {}
        yield split_name(name)[0], str(record.get("error", ""))
