"""How painters and the preview begin: the files that a spec names and the machine are checked."""

from typing import ClassVar

import numpy as np

from ..catalogue.comfyui import known_folders
from ..frames import fit_frame
from .named_files import check_named
from .networks.device import choose_device
from .spec import RunSpec


class FrameMaker:
    """The spec of a job, the folders of models and the machine.

    Attributes:
        spec_type: the type of the specs.
        named_parts: parts of the spec that name files beside the models that paint.
        size: (height, width) of the frames, in pixels.
        roots: the known folders of models, which are searched once.
        device: where networks run.
        cpu_only: whether everything has to run on the CPU.
    """

    spec_type: ClassVar[type[RunSpec]]
    named_parts: ClassVar[tuple[str, ...]]

    def __init__(self, spec: RunSpec):
        if not isinstance(spec, self.spec_type):
            found, wanted = type(spec).__name__, self.spec_type.__name__
            raise ValueError(f"the spec is of type {found}, but {wanted} is needed")
        check_named(*(getattr(spec, part) for part in self.named_parts))
        self.spec = spec
        self.size = spec.result.size
        self.roots = known_folders()
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
