"""What is written down about a task that has ended: a line, and a file if it failed."""

import json

from ..planning.drafts import Fault
from ..store.records import failed_path
from ..types import Outcome, Store, Task
from .ledger import Ledger, now


def write_failure(store: Store, task: Task | Fault, attempt: int, outcome: Outcome) -> None:
    """Write the file that says why a task failed.

    Args:
        attempt: the last one, so the number of attempts.

    Raises:
        UserError: it can't be written.
    """
    values = {
        "id": task.id,
        "name": task.name,
        "key": task.key,
        "error": outcome.error,
        "traceback": outcome.traceback,
        "attempts": attempt,
        "worker": outcome.worker,
        "seconds": round(outcome.seconds, 3),
        "time": now(),
    }
    store.write(failed_path(task.name), (json.dumps(values, indent=1) + "\n").encode())


def note_outcome(ledger: Ledger, task: Task | str, attempt: int, outcome: Outcome) -> None:
    """Add the line of what became of a task to the ledger.

    Raises:
        UserError: it can't be written.
    """
    ledger.note(
        task,
        outcome.state,
        seconds=round(outcome.seconds, 3),
        worker=outcome.worker,
        attempt=attempt,
        error=outcome.error or None,
    )
