"""Keeps a run in checkpoints, and brings it back from one."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ...errors import UserError
from ...failures import is_disk_full
from ...quoting import first_names, quote
from ...standalone.spec.part import to_plain
from ..config import Saving
from .checkpoints import (
    AVERAGES,
    OPTIMIZER,
    OWN,
    TRAINED,
    Checkpoint,
    Layout,
    list_checkpoints,
    newest_checkpoint,
    remove_checkpoints,
    remove_parts,
    write_checkpoint,
)
from .stepping import Stepper
from .tally import Tally
from .words import Words


class Keeper:
    """The checkpoints of a run.

    Args:
        run: its output folder.
        saving: how often, and how many are kept.
        stepper, tally: what is kept.
        layout: of the checkpoints.

    Attributes:
        saved: step of the last checkpoint; None: there is none yet.
        owed: whether the last try failed, because the disk was full.
    """

    def __init__(
        self, run: Path, saving: Saving, stepper: Stepper, tally: Tally, layout: Layout = OWN
    ):
        self.run, self.saving, self.stepper, self.tally = run, saving, stepper, tally
        self.layout = layout
        self.saved: int | None = None
        self.owed = False

    def begin(self, *, resume: bool | Checkpoint) -> int:
        """Begin a new run, or bring the run back from its newest whole checkpoint.

        Args:
            resume: True: bring it back; or the checkpoint that it is brought back from.

        Returns:
            Steps that are done; 0 for a new run, and if there is no checkpoint yet.

        Raises:
            UserError: there are checkpoints but `resume` is False; none is whole; or it belongs to
                a run of other parameters or with another seed.
        """
        if not resume:
            check_new(self.run, self.layout, self.stepper.words)
        self.saved = self._go_on(resume) if resume else None
        done = self.saved or 0
        if self.stepper.place.highest(done) != done:
            raise UserError(
                f"Other processes find a later checkpoint in {self.run} than this one: the output "
                "folder must be on a disk that all processes share."
            )
        return done

    def _go_on(self, resume: bool | Checkpoint) -> int | None:
        """Bring the run back; its step, or None if there is no checkpoint yet."""
        checkpoint = newest_checkpoint(self.run, self.layout) if resume is True else resume
        if checkpoint is None:
            logging.info("There is no checkpoint in %s yet: training begins anew.", self.run)
            return None
        self._restore(checkpoint)
        steps = self.stepper.training.steps
        if checkpoint.step < steps:
            logging.info("Training goes on from step %d.", checkpoint.step)
        else:
            more = self.stepper.words.steps
            logging.info("All %d steps are done: raise %s to train on.", steps, more)
        return checkpoint.step

    def save(self, step: int, *, last: bool = False) -> None:
        """Write a checkpoint, and remove the oldest; on a full disk the run goes on without it.

        Args:
            step: steps that are done.
            last: whether this is the last chance.

        Raises:
            UserError: it can't be written; on a full disk only if it is the last chance.
        """
        if self.saved == step:
            return
        remove_parts(self.run, self.layout)
        try:
            write_checkpoint(self.run, step, self._files(), self._state(), self.layout)
        except UserError as error:
            if last or not is_full(error):
                raise
            logging.warning(
                "There is no checkpoint of step %d. %s Training goes on and tries again.",
                step,
                error,
            )
            self.owed = True
            return
        self.saved, self.owed = step, False
        remove_checkpoints(self.run, step, self.saving.keep, self.layout)

    def _files(self) -> dict[str, Mapping[str, Tensor]]:
        files = {TRAINED: self.stepper.parameters, OPTIMIZER: self.stepper.moments()}
        if self.stepper.ema is not None:
            files[AVERAGES] = self.stepper.ema.averages
        return files

    def _state(self) -> dict[str, Any]:
        ema = self.stepper.ema
        return {
            "skipped": self.tally.skipped,
            "in_a_row": self.tally.in_a_row,
            "ema_updates": ema.updates if ema else 0,
            "settings": self._settings(),
        }

    def _settings(self) -> dict[str, Any]:
        """What decides the result besides weights, clips and the step."""
        given = {key: to_plain(x) for key, x in self.stepper.training.options().items()}
        place = self.stepper.place
        return given | {
            "samples": len(self.stepper.task),
            "processes": place.processes,
            "dtype": str(place.dtype).removeprefix("torch."),
        }

    def _restore(self, checkpoint: Checkpoint) -> None:
        state = checkpoint.state
        self._compare(checkpoint.path, state["settings"])
        trained = checkpoint.trained()
        self._check_parameters(checkpoint.path, trained)
        self.stepper.load(
            trained, checkpoint.optimizer(), checkpoint.averages(), state["ema_updates"]
        )
        self.tally.skipped, self.tally.in_a_row = state["skipped"], state["in_a_row"]

    def _compare(self, path: Path, before: Mapping[str, Any]) -> None:
        """Refuse another seed; say what else differs; nothing is known of another program's run."""
        if not before:
            return
        now = self._settings()
        if before.get("seed") != now["seed"]:
            raise UserError(
                f"{path} belongs to a run with the seed {quote(before.get('seed'))}, not "
                f"{now['seed']}: give the same seed, or choose another output folder."
            )
        changes = [
            f"{key} is {quote(now[key])} instead of {quote(before.get(key))}"
            for key in now
            if before.get(key) != now[key]
        ]
        if changes:
            logging.warning("The run goes on with other settings: %s.", ", ".join(changes))

    def _check_parameters(self, path: Path, found: Mapping[str, Tensor]) -> None:
        here = {name: tuple(value.shape) for name, value in self.stepper.parameters.items()}
        there = {name: tuple(value.shape) for name, value in found.items()}
        if here == there:
            return
        names = sorted(name for name in here | there if here.get(name) != there.get(name))
        raise UserError(
            f"{path} belongs to a run that trained other parameters: {len(names)} are not in both "
            f"or have other shapes ({first_names(names)}). Give the same trained set and the same "
            "base, or choose another output folder."
        )


def check_new(run: Path, layout: Layout, words: Words) -> None:
    """Raise UserError if there are checkpoints in a run's folder already."""
    if list_checkpoints(run, layout):
        raise UserError(
            f"There are checkpoints in {run / layout.folder}: go on from them with {words.resume}, "
            "or choose another output folder."
        )


def is_full(error: UserError) -> bool:
    """Whether an error is due to a full disk."""
    return isinstance(error.__cause__, Exception) and is_disk_full(error.__cause__)
