"""Two pictures in, the frames between them out: for Python programs and for the command line."""

import numpy as np

from ..catalogue.find import FCVG_SET
from ..frames import fit_frame
from ..progress import Progress, silent
from .control.dwpose import Keyframes
from .networks.pipeline import InbetweenPipeline
from .painter import Painter
from .preview import PreviewMaker
from .spec import InbetweenSpec


class InbetweenPainter(PreviewMaker, Painter):
    """Paints the frames between two pictures, as often as it is called; it can preview them too.

    All that can be checked before models are loaded is checked at once. Models, matcher and pose
    detector are loaded when they are used first, and stay.

    Args:
        spec: its `first`, `last` and `output` are not used here.

    Raises:
        ModuleNotFoundError: a package is missing.
        UserError: a file or the device is missing, a file holds something else, or settings do
            not go together.
    """

    spec_type = InbetweenSpec
    model_set = FCVG_SET

    def __call__(
        self,
        first: np.ndarray,
        last: np.ndarray,
        *,
        seed: int | None = None,
        progress: Progress = silent,
    ) -> np.ndarray:
        """The video between two pictures, which are cropped and resized to its size.

        Args:
            first: uint8 [h, w, 3].
            last: uint8 [h, w, 3].
            seed: seed of all noise; None takes the spec's seed.
            progress: gets the stage, the number of its parts that are done, and their total.

        Returns:
            uint8 [T, H, W, 3].
        """
        self.spec_of(seed)  # refuses a bad seed before anything is drawn
        keyframes = fit_frame(first, self.size), fit_frame(last, self.size)
        found = self.find_motion(keyframes, progress=progress)
        return self.paint(keyframes, self.draw_control(found), seed=seed, progress=progress)

    def paint(
        self,
        keyframes: Keyframes,
        control_frames: np.ndarray,
        *,
        seed: int | None = None,
        progress: Progress = silent,
    ) -> np.ndarray:
        """The video uint8 [T, H, W, 3], painted along control frames.

        Args:
            keyframes: uint8 [H, W, 3], of the spec's size.
            control_frames: uint8 [T, H, W, 3].
            seed: seed of all noise; None takes the spec's seed.
        """
        spec = self.spec_of(seed)
        frames = self.load(InbetweenPipeline, progress)(
            keyframes,
            control_frames,
            spec.sampling_settings(),
            seed=spec.sampling.seed,
            decode_chunk=spec.machine.decode_chunk,
            progress=progress,
        )
        if spec.result.keep_keyframes:
            frames[0], frames[-1] = keyframes
        return frames
