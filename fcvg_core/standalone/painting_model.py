"""The model of a family whose files are checked at once, and whose weights are read when it paints.

The files of FCVG and ControlNeXt-SVD are in `run_models`.
"""

import logging
from typing import Any, Generic, TypeVar

import torch

from ..progress import Progress
from .networks.device import choose_dtype
from .run_models import PACKAGES_THAT_PAINT, check_packages
from .spec.parts import AnyMachine
from .work import about_models

P = TypeVar("P")


class PaintingModel(Generic[P]):
    """A model, whose weights are read at the first video and stay.

    Attributes:
        device: where the networks run.
        dtype: number format in which they compute.

    Raises:
        ModuleNotFoundError: a package is missing.
        UserError: the device can't compute in the number format.
    """

    def __init__(self, machine: AnyMachine, device: torch.device):
        check_packages(PACKAGES_THAT_PAINT)
        self.device, self.dtype = device, choose_dtype(machine.dtype, device)
        self._offload = machine.offload
        self._checked: Any = None
        self._pipeline: P | None = None

    def _check(self) -> Any:
        """The checked files of the model, which `load` makes a pipeline of."""
        raise NotImplementedError

    def _check_first(self) -> Any:
        """As `_check`, for the first pipeline; a stand-in is said to be one."""
        self._checked = self._check()
        if self._checked.is_stand_in:
            logging.warning("THIS IS A STAND-IN MODEL, NOT TRAINED: THE FRAMES WILL BE NOISE.")
        return self._checked

    def _load(self, progress: Progress) -> P:
        """The pipeline, whose weights are read at the first call."""
        if self._pipeline is None:
            checked, self._checked = self._checked, None  # an error leaves it half used up
            with about_models():
                if checked is None:
                    checked = self._check()
                self._pipeline = checked.load(self.device, self._offload, progress)
        return self._pipeline
