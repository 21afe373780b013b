"""The model of a family whose files are checked at once, and whose weights are read when it paints.

The files of FCVG and ControlNeXt-SVD are in `run_models`.
"""

import logging
from typing import Any, Generic, TypeVar

import torch

from ..estimate import Passes, Video
from ..progress import Progress
from .networks.device import choose_dtype
from .outlook import Run, log_needs
from .run_models import PACKAGES_THAT_PAINT, check_packages
from .spec.parts import AnyMachine
from .work import about_models

P = TypeVar("P")


class PaintingModel(Generic[P]):
    """A model, whose weights are read at the first video and stay.

    Attributes:
        device: where the networks run.
        dtype: number format in which they compute.
        files: where the parts of the model are; after `_check_first` also those that were found.
        is_stand_in: whether the model is a stand-in, which paints noise.

    Raises:
        ModuleNotFoundError: a package is missing.
        UserError: the device can't compute in the number format.
    """

    def __init__(self, machine: AnyMachine, device: torch.device):
        check_packages(PACKAGES_THAT_PAINT)
        self.device, self.dtype = device, choose_dtype(machine.dtype, device)
        self._offload = machine.offload
        self._longest = 0  # frames of the longest video whose needs the log has said
        self._checked: Any = None
        self._pipeline: P | None = None

    def _check(self) -> Any:
        """The checked files of the model, which `load` makes a pipeline of."""
        raise NotImplementedError

    def _check_first(self) -> Any:
        """As `_check`, for the first pipeline; a stand-in is said to be one."""
        self._checked = checked = self._check()
        self.files = checked.files
        self._networks = checked.networks()
        self.is_stand_in: bool = checked.is_stand_in
        if self.is_stand_in:
            logging.warning("THIS IS A STAND-IN MODEL, NOT TRAINED: THE FRAMES WILL BE NOISE.")
        return checked

    def _log_needs(
        self,
        size: tuple[int, int],
        frames: int,
        *,
        steps: int,
        branches: int,
        decode_chunk: int,
        denoiser: str = "UNet",
    ) -> None:
        """Log the memory that a video needs, and what is free, if none so long came before.

        Args:
            size: (height, width) in pixels.
            frames: that are sampled.
            steps: of the sampler.
            branches: of guidance; each step computes all of them.
            decode_chunk, denoiser: as in `Run`.
        """
        if frames <= self._longest:
            return
        self._longest = frames
        run = Run(
            video=Video(size, frames, frames, overlap=0),
            networks=self._networks,
            dtype=self.dtype,
            passes=Passes(steps * branches, shallow=0, steered=0),
            at_once=branches,
            can_split=True,
            kept=0,
            offload=self._offload,
            decode_chunk=decode_chunk,
            window_option="--frames",
            denoiser=denoiser,
        )
        log_needs(run, self.device)

    def _load(self, progress: Progress) -> P:
        """The pipeline, whose weights are read at the first call."""
        if self._pipeline is None:
            checked, self._checked = self._checked, None  # an error leaves it half used up
            with about_models():
                if checked is None:
                    checked = self._check()
                self._pipeline = checked.load(self.device, self._offload, progress)
        return self._pipeline
