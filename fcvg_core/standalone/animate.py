"""A picture and a driving video in, an animation out: for Python programs and the command line."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice

import numpy as np

from ..catalogue.find import CONTROLNEXT_SVD_SET
from ..choices import FCVG_COLORS
from ..estimate import CONTROLNEXT_SVD
from ..pose import PoseDetector
from ..progress import Progress, silent
from ..settings import DrivingSettings
from .control.driving import draw_driving_poses
from .control.dwpose import need_detector
from .networks.pipeline import AnimationPipeline
from .painter import Painter
from .spec import AnimateSpec
from .work import about_models


class AnimationPainter(Painter):
    """Animates pictures by driving videos, as often as it is called.

    All that can be checked before models are loaded is checked at once. Models and pose detector
    are loaded when they are used first, and stay.

    Args:
        spec: its `image`, `video`, `control_frames`, `output`, `result.audio`, `driving.stride`
            and `driving.drawn` are about files and are not used here.
        like: painter of an earlier job; its models and pose detector are kept where they are the
            same.
        paints: see `Painter`.

    Raises:
        ModuleNotFoundError: a package is missing.
        UserError: a file or the device is missing, a file holds something else, or settings do
            not go together.
    """

    spec_type = AnimateSpec
    named_parts = ("poses",)
    model_set = CONTROLNEXT_SVD_SET
    networks = CONTROLNEXT_SVD

    def __call__(
        self,
        picture: np.ndarray,
        driving: Iterable[np.ndarray],
        *,
        seed: int | None = None,
        progress: Progress = silent,
    ) -> np.ndarray:
        """The animation of a picture, which is fitted to the animation's size.

        Args:
            picture: uint8 [h, w, 3].
            driving: frames of the driving video, uint8 [h, w, 3] of one size. Frames beyond the
                spec's number of frames are not used.
            seed: seed of all noise; None takes the spec's seed.
            progress: gets the stage, the number of its parts that are done, and their total.

        Returns:
            uint8 [T, H, W, 3]: the picture's own pose, then a frame for each driving frame.
        """
        self.spec_of(seed)  # refuses a bad seed before anything is drawn
        reference = self.fit(picture)
        used = islice(driving, self.spec.result.frames - 1)
        control = self.draw_control(reference, used, progress=progress)
        video = np.empty_like(control)
        for i, frame in enumerate(self.paint(reference, control, seed=seed, progress=progress)):
            video[i] = frame
        return video

    def draw_control(
        self,
        reference: np.ndarray,
        driving: Iterable[np.ndarray],
        *,
        progress: Progress = silent,
    ) -> np.ndarray:
        """Control frames uint8 [T, H, W, 3]: the picture's own pose, then the driving poses.

        Args:
            reference: the picture, uint8 [H, W, 3] of the spec's size.
            driving: frames of the driving video, uint8 [h, w, 3] of one size; all are used.
        """
        spec = self.spec
        settings = DrivingSettings(
            one_person=spec.driving.one_person,
            smoothing=spec.driving.smoothing,
            pose_width=spec.poses.pose_width,
            pose_colors=FCVG_COLORS,
        )
        return draw_driving_poses(
            driving,
            reference,
            self._detector,
            settings,
            max_frames=spec.result.frames - 1,
            progress=progress,
        )

    def paint(
        self,
        reference: np.ndarray,
        control_frames: np.ndarray,
        *,
        seed: int | None = None,
        progress: Progress = silent,
    ) -> Iterator[np.ndarray]:
        """The frames uint8 [H, W, 3] of the animation, decoded as they are asked for.

        Args:
            reference: the picture, uint8 [H, W, 3] of the spec's size.
            control_frames: uint8 [T, H, W, 3].
            seed: seed of all noise; None takes the spec's seed.
        """
        spec = self.spec_of(seed)
        settings = spec.sampling_settings(len(control_frames))
        return self.load(AnimationPipeline, settings, progress)(
            reference,
            control_frames,
            settings,
            seed=spec.sampling.seed,
            decode_chunk=spec.machine.decode_chunk,
            progress=progress,
        )

    @cached_property
    def _detector(self) -> PoseDetector:
        key = (self.spec.poses.detector, self.device, self.cpu_only)
        return self.opened.get("pose detector", key, self._open_detector)

    def _open_detector(self) -> PoseDetector:
        with about_models():
            return need_detector(
                self.spec.poses, self.roots, device=self.device, cpu_only=self.cpu_only
            )
