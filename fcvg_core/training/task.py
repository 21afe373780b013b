"""What the loop trains: the loop knows nothing else of a family or a job."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn


class Task(Protocol):
    """A network and the samples that it is trained on.

    Attributes:
        network: on its device; its parameters are opened by `open_for_training`.
    """

    network: nn.Module

    def __len__(self) -> int:
        """How many samples there are, at least 1."""

    def sample(self, index: int, chance: torch.Generator) -> Any:
        """A sample, on the CPU. It may be made in another thread while a step runs.

        Args:
            index: 0 .. len - 1.
            chance: all that is random of the sample; on the CPU.
        """

    def losses(self, network: nn.Module, samples: Sequence[Any], chance: torch.Generator) -> Tensor:
        """The loss of each pass, times the weight of its sample.

        Args:
            network: `self.network`, or a module that wraps it.
            samples: from `sample`.
            chance: all that is random of the passes; on the CPU.

        Returns:
            [B] float32 on the network's device. A step goes down the gradient of their mean.
        """


@dataclass(frozen=True, eq=False)
class Painted:
    """A held-out clip, painted by the networks as they are.

    Attributes:
        name: id of the clip, which a file can have as its name.
        truth, result: uint8 [T, H, W, 3].
        control: uint8 [T, H, W, 3]; None if nothing steers.
    """

    name: str
    truth: np.ndarray
    control: np.ndarray | None
    result: np.ndarray


class Validated(Protocol):
    """A task that can be validated on clips that it is not trained on."""

    def held_out(self) -> Sequence[str]:
        """Ids of the held-out clips."""

    def loss_at(self, network: nn.Module, index: int, level: float, seed: int) -> float:
        """The loss of a held-out clip at a noise level, forward in time, nothing dropped.

        Args:
            index: of the held-out clip.
            level: the noise level sigma.
            seed: of the noise; the same for every validation of a run.
        """

    def paint(self, index: int) -> Painted:
        """A held-out clip as inference paints it, from a fixed seed."""
