"""Branches of guidance: the predictions under several conditions, in as few passes as fit."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ...failures import none_if_out_of_memory


@dataclass(eq=False)
class Branches:
    """Runs a network on all branches at once, or one by one once memory has run out.

    Attributes:
        together: whether memory has sufficed so far.
    """

    together: bool = field(default=True, init=False)

    def predict(
        self, run: Callable[[Sequence[Any]], Tensor], branches: Sequence[Any]
    ) -> list[Tensor]:
        """The prediction of each branch.

        Args:
            run: predictions of some branches, one after the other along the first axis.
            branches: what the predictions are conditioned on.
        """
        if self.together and len(branches) > 1:
            if (found := none_if_out_of_memory(lambda: run(branches))) is not None:
                return list(found.chunk(len(branches)))
            self.together = False
            logging.warning("Memory ran out: the branches of guidance now run one by one.")
            torch.cuda.empty_cache()  # does nothing where CUDA is not used
        return [run([branch]) for branch in branches]
