"""Counts the steps of a run: what the next line of the log says, and steps that failed."""

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import UserError
from .stepping import Taken
from .words import TRAIN, Words

MOST_IN_A_ROW = 5  # skipped steps, before the run stops


@dataclass
class Tally:
    """The steps of a run.

    Attributes:
        words: of the command, for messages.
        skipped: steps that changed nothing, because loss or gradient was not a number.
        in_a_row: how many of them were the last ones.
        loss: the mean of the last line; None if it had no step.
    """

    words: Words = TRAIN
    skipped: int = 0
    in_a_row: int = 0
    loss: float | None = None
    _taken: list[Taken] = field(default_factory=list)
    _steps: int = 0
    _seconds: float = 0.0
    _started: float = 0.0

    def start(self) -> None:
        """A step begins."""
        self._started = time.monotonic()

    def add(self, step: int, taken: Taken) -> None:
        """A step ends.

        Args:
            step: its number, from 0.

        Raises:
            UserError: the last steps were all skipped.
        """
        self._seconds += time.monotonic() - self._started
        self._steps += 1
        if taken.sound:
            self.in_a_row = 0
            self._taken.append(taken)
            return
        self.skipped += 1
        self.in_a_row += 1
        what = "gradient" if math.isfinite(taken.loss) else "loss"
        logging.warning("Step %d is skipped: its %s is not a finite number.", step + 1, what)
        if self.in_a_row >= MOST_IN_A_ROW:
            raise UserError(
                f"Loss or gradient was not a finite number in {self.in_a_row} steps in a row, the "
                f"last of them step {step + 1}: training has stopped. {self.words.calmer}; then "
                f"go on from the last checkpoint with {self.words.resume}."
            )

    def line(self, rates: Mapping[str, float]) -> dict[str, Any]:
        """What the log says of the steps since the last line; counting begins again.

        Returns:
            "loss" and "grad_norm": means over the steps that were not skipped, None if all were;
            "lr" of each network; "seconds" of a step; "skipped" of the whole run.
        """
        self.loss = _mean([each.loss for each in self._taken])
        norm = _mean([each.norm for each in self._taken])
        seconds = round(self._seconds / max(self._steps, 1), 4)
        self._taken, self._steps, self._seconds = [], 0, 0.0
        return {
            "loss": self.loss,
            "lr": dict(rates),
            "grad_norm": norm,
            "seconds": seconds,
            "skipped": self.skipped,
        }


def _mean(values: list[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
