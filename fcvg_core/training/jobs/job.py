"""What a job of training says of its clips, and the networks that it is given to make them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from ...catalogue.model_files import Roots
from ...standalone.networks.pipeline import VideoPipeline
from ..clips import Clip
from ..config import Clips, TrainingSpec
from ..data.cache import Contents
from ..data.item import Item


@dataclass(frozen=True)
class Tools:
    """What makes clips of frames; nothing is opened before a clip needs it.

    Attributes:
        load_encoders: gives SVD's VAE and image encoder on their device.
        encoder_files: the files that they are read from.
        roots: known folders of models.
        device: where the networks run that find lines and people.
    """

    load_encoders: Callable[[], VideoPipeline]
    encoder_files: tuple[Path, ...]
    roots: Roots
    device: torch.device


class Finder(Protocol):
    """What finds the conditions of a clip."""

    def release(self) -> None:
        """Free the memory of its networks."""


class Job(Protocol):
    """What is trained for; it holds nothing of a run.

    Attributes:
        family: whose networks, a row of `FAMILIES`.
        default_start: whose weights training starts from if a user names none.
    """

    family: str
    default_start: str

    def finder_files(self, spec: TrainingSpec, roots: Roots) -> tuple[Path, ...]:
        """The files of what `open_finder` opens; none if it needs none, or if they are missing.

        Raises:
            UserError: of files that belong together one is named and the other is missing.
        """

    def decides(self, item: Item, spec: TrainingSpec) -> dict[str, Any]:
        """What decides the contents of a clip besides files and `spec.data`, as JSON values."""

    def needs_finder(self, item: Item) -> bool:
        """Whether the conditions of a clip have to be found in its frames."""

    def open_finder(self, spec: TrainingSpec, tools: Tools) -> Finder:
        """What finds them.

        Raises:
            UserError: a file is missing or holds something else.
        """

    def make_contents(
        self,
        item: Item,
        spec: TrainingSpec,
        encoders: VideoPipeline,
        finder: Finder | None,
        seed: int,
    ) -> Contents:
        """All that training needs of a clip.

        Args:
            finder: from `open_finder`, if `needs_finder` says so.
            seed: of the noise on the pictures that condition the UNet.

        Raises:
            UserError: the clip can't be used.
        """

    def clip(self, contents: Contents, spec: TrainingSpec, chance: torch.Generator | None) -> Clip:
        """What a step takes of a clip.

        Args:
            chance: of all that is random, on the CPU; None: nothing is random.
        """

    def true_frames(self, item: Item, contents: Contents, spec: TrainingSpec) -> np.ndarray:
        """The true frames of `clip(contents, spec, None)`, uint8 [T, H, W, 3].

        Raises:
            UserError: the clip can't be read any more.
        """


def ids_of(data: Clips) -> tuple[float, float, float]:
    """What the UNet is told of all clips; see `Clip.ids`."""
    return float(data.fps - 1), float(data.motion_bucket_id), data.augmentation
