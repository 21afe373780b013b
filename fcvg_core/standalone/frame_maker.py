"""How painters and the preview begin: the files that a spec names and the machine are checked."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, ClassVar, TypeVar

import numpy as np

from ..catalogue.comfyui import known_folders
from ..frames import fit_frame
from .named_files import check_named
from .networks.device import choose_device
from .spec import RunSpec

T = TypeVar("T")
NETWORKS = "networks"  # kind of what paints: a process holds the networks of one family


class Opened:
    """What was slow to open, for the makers of later jobs: the last thing of each kind."""

    def __init__(self):
        self._things: dict[str, tuple[Hashable, Any]] = {}

    def get(self, kind: str, key: Hashable, open_it: Callable[[], T]) -> T:
        """The thing of this kind; it is opened unless the last of its kind has the same key.

        The last thing of the kind is let go first: memory holds both only if an earlier maker that
        used the last thing is kept.
        """
        if kind not in self._things or self._things[kind][0] != key:
            self._things.pop(kind, None)
            self._things[kind] = key, open_it()
        return self._things[kind][1]

    def forget(self, kind: str) -> None:
        """Let the thing of a kind go."""
        self._things.pop(kind, None)


class FrameMaker:
    """The spec of a job, the folders of models and the machine.

    Args:
        like: maker of an earlier job; what it has opened is kept where this job needs the same.

    Attributes:
        spec_type: the type of the specs.
        named_parts: parts of the spec that name files beside the models that paint.
        size: (height, width) of the frames, in pixels.
        opened: what this maker, and makers like it, have opened.
        roots: the known folders of models, which are searched once.
        device: where networks run.
        cpu_only: whether everything has to run on the CPU.
    """

    spec_type: ClassVar[type[RunSpec]]
    named_parts: ClassVar[tuple[str, ...]]

    def __init__(self, spec: RunSpec, like: FrameMaker | None = None):
        if not isinstance(spec, self.spec_type):
            found, wanted = type(spec).__name__, self.spec_type.__name__
            raise ValueError(f"the spec is of type {found}, but {wanted} is needed")
        check_named(*(getattr(spec, part) for part in self.named_parts))
        self.spec = spec
        self.size = spec.result.size
        like = like if isinstance(like, FrameMaker) else None  # another family has its own makers
        self.opened = like.opened if like else Opened()
        self.roots = like.roots if like else known_folders()
        self.device = choose_device(spec.machine.device)
        self.cpu_only = spec.machine.device == "cpu"

    def fit(self, picture: np.ndarray) -> np.ndarray:
        """A picture at the size of the frames, cropped, padded or stretched as the spec says.

        Args:
            picture: uint8 [h, w, 3].

        Returns:
            uint8 [H, W, 3].
        """
        result = self.spec.result
        return fit_frame(picture, self.size, result.fit, result.anchor)
