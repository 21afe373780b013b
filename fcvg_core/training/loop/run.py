"""The steps of a run, one after the other, and what happens between them."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import islice

import torch

from ...errors import UserError
from ...progress import Progress
from ...signals import Interrupted, uninterrupted
from .chance import SAMPLE, chance, pick_samples
from .keeping import Keeper, is_full
from .log import Log
from .prefetch import prefetch
from .stepping import Batch, Stepper, memory_explained


@dataclass(frozen=True)
class Summary:
    """What a run came to.

    Attributes:
        step: steps that are done, with those before a checkpoint.
        loss: mean loss of the last line of the log; None if no step was taken.
        skipped: steps that changed nothing, because their loss or gradient was not a number.
        stopped: why the run ended before its last step; None if it did not.
    """

    step: int
    loss: float | None
    skipped: int
    stopped: str | None


@dataclass
class Run:
    """A run on its way; see `train`.

    Of several processes none ends alone, because the others would wait for it: it tells them in
    the next step.

    Attributes:
        log: None in all processes but the first, which alone writes.
        done: steps that are done.
        held: number of the signal that asks this process to end; 0: none came.
        asked: number of the signal that asked any process to end.
        stopped: why the run ends before its last step.
    """

    stepper: Stepper
    keeper: Keeper
    log: Log | None
    done: int
    validate: Callable[[int], Mapping] | None
    validate_every: int
    progress: Progress
    enough: Callable[[], str | None] | None
    held: int = 0
    asked: int = 0
    stopped: str | None = None

    def go(self) -> Summary:
        """Take all steps that are left.

        Raises:
            UserError, Interrupted: see `train`.
        """
        network, tally = self.stepper.task.network, self.keeper.tally
        network.train()
        training = self.stepper.training
        numbers = range(self.done * training.accumulate, training.steps * training.accumulate)
        with closing(prefetch(self._batch, numbers)) as prepared:
            try:
                if not self.done:
                    self._validate()
                with self._signals():  # one may come between two steps, too
                    self._take_steps(prepared)
                self._take_steps(prepared)  # then a step is left, which tells the other processes
            except Interrupted:
                self._save_at_once()
                raise
            finally:
                network.eval()
        if self.asked or self.held:
            self._save_at_once()
            if self.asked:  # a launcher ends all processes with the first that ends
                self.stepper.place.highest(0)
            raise Interrupted(self.asked or self.held)
        return Summary(self.done, tally.loss, tally.skipped, self.stopped)

    def _take_steps(self, prepared: Iterator[Batch]) -> None:
        """Take the steps that are left, until a signal has asked any process to end."""
        while not (self._ends() or self.asked):
            self._step(prepared)
            if self._is_validated():
                self._validate()

    def _step(self, prepared: Iterator[Batch]) -> None:
        """Take a step and keep it; a signal has to wait."""
        tally, place, training = self.keeper.tally, self.stepper.place, self.stepper.training
        with self._signals(), uninterrupted():
            tally.start()
            taken = self.stepper.take(self.done, islice(prepared, training.accumulate))
            tally.add(self.done, taken)
            self.done += 1
            self.asked = place.highest(self.held)
            reason = self.enough() if self.enough else None
            if place.highest(bool(reason)):
                self.stopped = reason or "another process has stopped"
            if self.log:
                self._keep(self.log)
                self.progress("training", self.done, training.steps)

    def _keep(self, log: Log) -> None:
        """Write the line and the checkpoint that are due."""
        last, saving = self._ends(), self.keeper.saving
        line_is_due = last or self.done % saving.log_every == 0
        if line_is_due:
            log.write(self.done, self.keeper.tally.line(self.stepper.rates))
        if last or self.done % saving.every == 0 or (line_is_due and self.keeper.owed):
            self.keeper.save(self.done, last=last)

    def _save_at_once(self) -> None:
        """Save a checkpoint before a signal ends the run, unless it is there."""
        if not (self.log and self.done):
            return
        with uninterrupted():
            try:
                self.keeper.save(self.done, last=True)
            except UserError as error:  # the signal is what the caller must know
                logging.error("There is no checkpoint of step %d. %s", self.done, error)
            else:
                logging.info("A checkpoint of step %d is saved.", self.done)

    def _is_validated(self) -> bool:
        """Whether a validation is due."""
        due = self.validate_every and self.done % self.validate_every == 0
        return bool(due or self._ends()) and not self.asked

    def _validate(self) -> None:
        """Measure the averages of the parameters, in the first process."""
        if not (self.validate and self.validate_every and self.log):
            return
        stepper, network = self.stepper, self.stepper.task.network
        averages = stepper.ema.applied() if stepper.ema else nullcontext()
        network.eval()
        with self._signals():
            try:
                with (
                    averages,
                    memory_explained(stepper.place.device, stepper.words),
                    stepper.place.autocast(),
                    torch.no_grad(),
                ):
                    measures = self.validate(self.done)
            except UserError as error:
                if not is_full(error):
                    raise
                logging.warning("The validation of step %d is lost. %s", self.done, error)
            else:
                with uninterrupted():
                    self.log.write(self.done, {"validation": measures})
        network.train()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """A block that a signal may end; of several processes, the run goes on after it."""
        try:
            yield
        except Interrupted as stop:
            if self.stepper.place.processes == 1:
                raise
            self.held = stop.number

    def _ends(self) -> bool:
        """Whether the last step is done."""
        return self.done >= self.stepper.training.steps or self.stopped is not None

    def _batch(self, number: int) -> Batch:
        """A batch of this process; each step has `accumulate` ones."""
        training, place, task = self.stepper.training, self.stepper.place, self.stepper.task
        step, at = divmod(number, training.accumulate)
        first = (at * place.processes + place.rank) * training.batch
        count = training.batch * training.accumulate * place.processes
        picked = pick_samples(training.seed, len(task), step * count + first, training.batch)
        samples = [
            task.sample(index, chance(training.seed, step, first + n, SAMPLE))
            for n, index in enumerate(picked)
        ]
        return Batch(first, samples)
