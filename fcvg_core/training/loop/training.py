"""Trains the network of a task: what a run needs is opened, then its steps are taken."""

from collections.abc import Callable, Mapping
from contextlib import closing, nullcontext
from pathlib import Path

from ...progress import Progress, silent
from ...signals import signals_as_interrupts
from ..config import Saving, Training, TrainingMachine
from ..task import Task
from ..trained_sets import TrainedSet, open_for_training
from .alone import alone_in
from .checkpoints import OWN, Checkpoint, Layout
from .keeping import Keeper
from .log import Log
from .machine import Place, open_place
from .run import Run, Summary
from .stepping import Stepper, memory_explained
from .tally import Tally
from .words import TRAIN, Words


def train(
    task: Task,
    *,
    trained: TrainedSet,
    rates: Mapping[str, float],
    training: Training,
    saving: Saving,
    machine: TrainingMachine,
    output: Path,
    resume: bool | Checkpoint = False,
    layout: Layout = OWN,
    words: Words = TRAIN,
    validate: Callable[[int], Mapping] | None = None,
    validate_every: int = 0,
    progress: Progress = silent,
    enough: Callable[[], str | None] | None = None,
) -> Summary:
    """Train a task's network; afterwards it has its parameters, not their averages.

    Args:
        task: its network comes to the device.
        trained: the parameters that are trained.
        rates: learning rate of each network.
        machine: the device and the number format of the networks' work.
        output: folder of the run; it is made.
        resume: go on from the newest whole checkpoint in `output`, or from a checkpoint.
        layout: of the checkpoints.
        words: of the command, for messages.
        validate: gives measures after a number of steps; meanwhile the network has the averages
            of its parameters and works in the machine's number format.
        validate_every: 0: never. Otherwise before the first step and after the last one, too.
        enough: asked after every step; a reason ends the run, with a checkpoint.

    Raises:
        UserError: another process trains in `output`, or its run may not or can't go on; memory is
            too small; several losses in a row were no numbers; the disk is still full after the
            last step.
        Interrupted: a signal came. Its step was ended, and a checkpoint saved.
    """
    place = open_place(machine)
    with alone_in(output) if place.first else nullcontext():
        stepper = _open_stepper(task, trained, rates, training, place, words)
        keeper = Keeper(output, saving, stepper, Tally(words), layout)
        done = keeper.begin(resume=resume)
        logged = closing(Log(output, done)) if place.first else nullcontext()
        with logged as log, signals_as_interrupts():
            run = Run(stepper, keeper, log, done, validate, validate_every, progress, enough)
            return run.go()


def _open_stepper(
    task: Task,
    trained: TrainedSet,
    rates: Mapping[str, float],
    training: Training,
    place: Place,
    words: Words,
) -> Stepper:
    """The optimiser of a task's network, which comes to its device."""
    with memory_explained(place.device, words):
        task.network.to(place.device)
        parameters = open_for_training(task.network, trained)
        place.share(parameters.values())
        return Stepper(task, parameters, rates, training, place, words)
