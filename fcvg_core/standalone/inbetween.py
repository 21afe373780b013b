"""Two pictures in, the frames between them out: for Python programs and for the command line."""

from functools import cached_property

import numpy as np

from ..catalogue.find import FCVG_SET
from ..choices import FCVG_STYLE
from ..control import ControlFrameSettings, draw_inbetween
from ..errors import UserError
from ..frames import check_frames, fit_frame
from ..pose import STYLES
from ..progress import Progress, silent
from ..sampling import starts_empty
from ..timeline import inbetween_times
from ..warp import preview_motion
from .control.dwpose import Keyframes, PoseFinder, open_pose_finder
from .control.matching import Matcher, open_matcher
from .control.motion import FoundMotion, find_motion
from .media.matches_file import read_matches
from .media.poses_file import read_poses
from .networks.pipeline import InbetweenPipeline
from .painter import Painter
from .spec import InbetweenSpec


class InbetweenPainter(Painter):
    """Paints the frames between two pictures, as often as it is called.

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
    named_parts = ("matcher", "poses")
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
        return self.paint(
            keyframes,
            self.draw_control(found),
            start=self.draw_start(keyframes, found, progress=progress),
            seed=seed,
            progress=progress,
        )

    def find_motion(self, keyframes: Keyframes, *, progress: Progress = silent) -> FoundMotion:
        """Lines and people that both keyframes show.

        Args:
            keyframes: uint8 [H, W, 3], of the spec's size.
        """
        return find_motion(
            keyframes, match=self._match, find_poses=self._find_poses, progress=progress
        )

    def draw_control(self, found: FoundMotion) -> np.ndarray:
        """Control frames uint8 [T, H, W, 3]: lines and people as they move between keyframes."""
        motion = self.spec.motion
        settings = ControlFrameSettings(
            num_frames=self.spec.result.frames,
            timing=motion.timing,
            line_width=motion.line_width,
            seed=motion.color_seed,
            pose_style=STYLES[FCVG_STYLE].scaled(self.spec.poses.pose_width),
            missing_joints=motion.missing_joints,
            missing_people=motion.missing_people,
        )
        return draw_inbetween(found.matches, found.people, found.matches.size, settings)

    def draw_preview(
        self, keyframes: Keyframes, found: FoundMotion, *, progress: Progress = silent
    ) -> np.ndarray:
        """Preview frames uint8 [T, H, W, 3]: the keyframes' own pixels, moved and blended.

        Args:
            keyframes: uint8 [H, W, 3], of the spec's size.
            found: what moves between these keyframes.
        """
        return preview_motion(
            keyframes,
            inbetween_times(self.spec.result.frames, self.spec.motion.timing),
            matches=found.matches,
            people=found.people,
            progress=progress,
        )

    def draw_start(
        self, keyframes: Keyframes, found: FoundMotion, *, progress: Progress = silent
    ) -> np.ndarray | None:
        """The preview if the spec starts from it; None if the spec starts from noise alone.

        Args:
            keyframes, found: see `draw_preview`.
        """
        if starts_empty(self.spec.sampling_settings().denoise):
            return None
        return self.draw_preview(keyframes, found, progress=progress)

    def paint(
        self,
        keyframes: Keyframes,
        control_frames: np.ndarray,
        *,
        start: np.ndarray | None = None,
        seed: int | None = None,
        progress: Progress = silent,
    ) -> np.ndarray:
        """The video uint8 [T, H, W, 3], painted along control frames.

        Args:
            keyframes: uint8 [H, W, 3], of the spec's size.
            control_frames: uint8 [T, H, W, 3].
            start: uint8 [T, H, W, 3], frames that the video starts from, of the keyframes' size.
                The spec's `from_preview` says how much noise is added to them.
            seed: seed of all noise; None takes the spec's seed.

        Raises:
            UserError: there is only one of `start` and `from_preview`, or nothing can be painted.
            ValueError: an array has another shape or type.
        """
        spec = self.spec_of(seed)
        self._check_start(start)
        frames = self.load(InbetweenPipeline, progress)(
            keyframes,
            control_frames,
            spec.sampling_settings(),
            seed=spec.sampling.seed,
            decode_chunk=spec.machine.decode_chunk,
            start=start,
            progress=progress,
        )
        if spec.result.keep_keyframes:
            frames[0], frames[-1] = keyframes
        return frames

    def _check_start(self, start: np.ndarray | None) -> None:
        """Raise an error unless the spec and the frames to start from go together."""
        share = self.spec.sampling.from_preview
        if start is None:
            if not starts_empty(self.spec.sampling_settings().denoise):
                raise UserError(
                    f"With from_preview {share} the video starts from frames, but there are none: "
                    "give `start`, for example what draw_preview returns."
                )
            return
        if share is None:
            raise UserError(
                "There are frames to start from, but from_preview is None: set it to the share of "
                "denoising, 0 to 1, or leave the frames out."
            )
        check_frames(start)
        wanted = (self.spec.result.frames, *self.size, 3)
        if start.shape != wanted:
            found = list(start.shape)
            raise ValueError(f"expected frames to start from of shape {list(wanted)}, got {found}")

    @cached_property
    def _match(self) -> Matcher:
        path = self.spec.matcher.matches
        if path is None:
            return open_matcher(self.spec.matcher, self.roots, device=self.device)
        matches = read_matches(path)
        height, width = matches.size
        if matches.size != self.size:
            raise UserError(
                f"{path} is for frames of {width} x {height} pixels, but these are "
                f"{self.size[1]} x {self.size[0]}: set --width {width} and --height {height}."
            )
        return lambda *keyframes: matches

    @cached_property
    def _find_poses(self) -> PoseFinder | None:
        choice = self.spec.poses
        if choice.poses is False:
            return None
        if choice.poses is None:
            return open_pose_finder(choice, self.roots, device=self.device, cpu_only=self.cpu_only)
        first, last = choice.poses
        people = read_poses(first, size=self.size), read_poses(last, size=self.size, frame=-1)
        return lambda keyframes: people
