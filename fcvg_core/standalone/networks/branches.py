"""Branches of guidance: the predictions under several conditions, in as few passes as fit.

Source: Doubiiu/DynamiCrafter lvdm/models/samplers/ddim.py, ddim_multiplecond.py.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ...failures import none_if_out_of_memory
from ...sampling import guide, guide_branches

# The branches of guidance: predictions by neither text nor picture, by the picture, by both.
UNCOND, IMAGE_ONLY, COND = "uncond", "image_only", "cond"


@dataclass(frozen=True)
class Scales:
    """Scales of guidance by a text and by a picture, with whatever belongs to the picture.

    Attributes:
        text: from the prediction by the picture alone to the prediction by both.
        image: from the prediction by neither to the prediction by the picture; None: the text's
            scale is for both.

    Differs: with a text scale of 1 the picture still guides if its scale says so; the official
        code then leaves out all guidance (ddim_multiplecond.py:226).
    """

    text: float
    image: float | None

    @property
    def branches(self) -> tuple[str, ...]:
        """Names of the branches that do not cancel out, the conditional branch last."""
        if self.text == 1 and self.image in (None, 1):
            return (COND,)
        if self.image == 1:
            return (IMAGE_ONLY, COND)
        if self.image in (None, self.text):
            return (UNCOND, COND)
        return (UNCOND, IMAGE_ONLY, COND)

    def guide(self, predictions: Sequence[Tensor]) -> Tensor:
        """The guided prediction, from those of `branches` in their order."""
        *others, cond = predictions
        if len(others) == 2:
            return guide_branches(*others, cond, image_scale=self.image, text_scale=self.text)
        return guide(cond, others[0], self.text) if others else cond


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
