"""One step of the optimiser: batches -> gradients -> other weights, and their average."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import UserError
from ...failures import is_out_of_memory
from ..config import Training
from ..ema import Ema
from ..task import Task
from ..trained_sets import parameter_groups
from .chance import PASSES, chance
from .machine import Place
from .schedule import rate_factor
from .words import TRAIN, Words


@contextmanager
def memory_explained(device: torch.device, words: Words = TRAIN) -> Iterator[None]:
    """Replace errors of a memory that is too small with what helps in training.

    Raises:
        UserError: replaces the errors of the computer's and of the device's memory.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise UserError(
            f"The memory of {device} is too small for a step of training. {words.less_memory}."
        ) from error


@dataclass(frozen=True)
class Taken:
    """What a step was like.

    Attributes:
        loss: mean of its passes.
        norm: of its gradient, before clipping.
    """

    loss: float
    norm: float

    @property
    def sound(self) -> bool:
        """Whether loss and gradient are numbers; otherwise the step changed nothing."""
        return math.isfinite(self.loss) and math.isfinite(self.norm)


@dataclass(frozen=True)
class Batch:
    """Samples that go through the networks at once.

    Attributes:
        first: place of the first sample among those of the step.
        samples: from `Task.sample`.
    """

    first: int
    samples: Sequence[Any]


class Stepper:
    """The optimiser of the trained parameters.

    Args:
        task: its network is on its device.
        parameters: from `open_for_training`.
        rates: learning rate of each network.
        training: how fast.
        place: where.
        words: of the command, for messages.

    Attributes:
        optimizer: AdamW.
        ema: the average of the parameters; None if none is kept.
        rates: the learning rate of each trained network in the last step.
    """

    def __init__(
        self,
        task: Task,
        parameters: Mapping[str, nn.Parameter],
        rates: Mapping[str, float],
        training: Training,
        place: Place,
        words: Words = TRAIN,
    ):
        self.task, self.parameters, self.training, self.place = task, parameters, training, place
        self.words = words
        groups = parameter_groups(parameters, rates)
        self._full = {group["name"]: group["lr"] for group in groups}
        self.rates = dict(self._full)
        self.optimizer = torch.optim.AdamW(
            groups,
            betas=(training.beta1, training.beta2),
            weight_decay=training.weight_decay,
            fused=place.device.type == "cuda" or None,
        )
        self.ema = Ema(parameters, training.ema) if training.ema else None

    def take(self, step: int, batches: Iterable[Batch]) -> Taken:
        """Take a step, unless its loss or its gradient is not a number.

        Args:
            step: its number, from 0.
            batches: `accumulate` ones.

        Raises:
            UserError: memory is too small.
        """
        with memory_explained(self.place.device, self.words):
            loss = sum(self._back(step, batch) for batch in batches)
            self.place.average(self.parameters.values())
            most = self.training.clip_norm or math.inf
            norm = nn.utils.clip_grad_norm_(self.parameters.values(), most)
            taken = Taken(self.place.mean(loss), float(norm))
            if taken.sound:
                self._change(step)
        self.optimizer.zero_grad(set_to_none=True)
        return taken

    def _back(self, step: int, batch: Batch) -> Tensor:
        """The share of a batch in the step's loss; its gradients are added to the others."""
        generator = chance(self.training.seed, step, batch.first, PASSES)
        with self.place.autocast():
            losses = self.task.losses(self.task.network, batch.samples, generator)
        loss = losses.mean() / self.training.accumulate
        loss.backward()
        return loss.detach()

    def _change(self, step: int) -> None:
        factor = rate_factor(self.training, step)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rates[group["name"]] = factor * self._full[group["name"]]
        self.optimizer.step()
        if self.ema is not None:
            self.ema.update()

    def moments(self) -> dict[str, Tensor]:
        """What the optimiser knows of each parameter, as "exp_avg/NAME"."""
        return {
            f"{kind}/{name}": value
            for name, parameter in self.parameters.items()
            for kind, value in self.optimizer.state.get(parameter, {}).items()
        }

    def load(
        self,
        trained: Mapping[str, Tensor],
        moments: Mapping[str, Tensor],
        averages: Mapping[str, Tensor] | None,
        updates: int,
    ) -> None:
        """Go on from a checkpoint.

        Args:
            trained: every parameter by name.
            moments: from `moments`.
            averages: of every parameter; None: averages begin with the parameters.
            updates: how many made the averages.
        """
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(trained[name])
        self._load_moments(moments)
        if self.ema is not None:
            given = trained if averages is None else averages
            self.ema.load_state_dict({"updates": updates, "averages": given})

    def _load_moments(self, moments: Mapping[str, Tensor]) -> None:
        by_name: dict[str, dict[str, Tensor]] = {}
        for key, value in moments.items():
            kind, _, name = key.partition("/")
            # A copy: on a CPU the optimiser would keep the file open, and its place on the disk.
            by_name.setdefault(name, {})[kind] = value.clone()
        names = {id(parameter): name for name, parameter in self.parameters.items()}
        groups = self.optimizer.param_groups
        order = [names[id(parameter)] for group in groups for parameter in group["params"]]
        state = {number: by_name[name] for number, name in enumerate(order) if name in by_name}
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state})
