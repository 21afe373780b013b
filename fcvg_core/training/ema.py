"""The exponential moving average of the trained parameters, which is validated and exported."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

DECAY = 0.9999  # for runs of many thousands of steps; under 1,000 steps 0.995 is better


class Ema:
    """Averages in float32 of parameters, over the steps of a run.

    The first averages begin from untrained values. So that they are forgotten soon, the decay of
    the n-th update is at most (1 + n) / (10 + n), counted from 0.

    Args:
        parameters: the trained parameters by name, from the network that the optimiser steps.
        decay: the share of the average that an update keeps, 0..1.

    Raises:
        ValueError: the decay is not a share.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], decay: float = DECAY):
        if not 0 <= decay <= 1:
            raise ValueError(f"expected a decay in 0..1, got {decay}")
        self.decay = decay
        self.updates = 0
        self._parameters = dict(parameters)
        self.averages: dict[str, Tensor] = {
            name: value.detach().float().clone() for name, value in parameters.items()
        }

    @torch.no_grad()
    def update(self) -> None:
        """Take in the parameters after a step."""
        kept = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, average in self.averages.items():
            average.lerp_(self._parameters[name].detach().to(average), 1 - kept)
        self.updates += 1

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The network with the averages; afterwards it has its own values again, bit for bit."""
        own = {name: value.detach().clone() for name, value in self._parameters.items()}
        self._put(self.averages)
        try:
            yield
        finally:
            self._put(own)

    def state_dict(self) -> dict[str, int | dict[str, Tensor]]:
        """What a checkpoint holds: the averages themselves, and how many updates made them."""
        return {"updates": self.updates, "averages": self.averages}

    @torch.no_grad()
    def load_state_dict(self, state: Mapping) -> None:
        """Go on from a checkpoint.

        Args:
            state: from `state_dict`.

        Raises:
            ValueError: it is the state of other parameters.
        """
        averages = state["averages"]
        shapes = {name: value.shape for name, value in averages.items()}
        if shapes != {name: value.shape for name, value in self.averages.items()}:
            raise ValueError("expected the averages of the parameters that are trained; got others")
        self.updates = int(state["updates"])
        for name, average in self.averages.items():
            average.copy_(averages[name])

    @torch.no_grad()
    def _put(self, values: Mapping[str, Tensor]) -> None:
        for name, parameter in self._parameters.items():
            parameter.copy_(values[name])
