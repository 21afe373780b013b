"""Takes the steps of a run, and keeps what they made: the same for every family and job.

chance        the chance of a step, from the run's seed and the step's number
schedule      learning rates over the steps
machine       the device, the number format of the networks' work, and other processes
stepping      a step of the optimiser
prefetch      the next batches, made while the networks work on one
tally         what the steps came to, and steps that are skipped
log           log.jsonl and TensorBoard
checkpoints   folders that hold all that a run needs to go on
alone         no second run in the same folder
keeping       when there is a checkpoint, and how a run comes back from one
words         what messages call a command's settings
run           step after step, and what happens between them
training      opens all this for a task
"""

from .checkpoints import (
    Checkpoint,
    Layout,
    find_checkpoint,
    list_checkpoints,
    newest_checkpoint,
    open_checkpoint,
    read_trained,
)
from .keeping import check_new
from .machine import Place, open_place
from .run import Summary
from .training import train
from .words import Words

__all__ = [
    "Checkpoint",
    "Layout",
    "Place",
    "Summary",
    "Words",
    "check_new",
    "find_checkpoint",
    "list_checkpoints",
    "newest_checkpoint",
    "open_checkpoint",
    "open_place",
    "read_trained",
    "train",
]
