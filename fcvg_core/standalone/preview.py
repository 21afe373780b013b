"""Two pictures in, a preview of the motion between them out, without models that paint."""

from functools import cached_property

import numpy as np

from ..canvas import in_words
from ..choices import FCVG_STYLE
from ..control import ControlFrameSettings, draw_inbetween
from ..errors import UserError
from ..pose import STYLES
from ..progress import Progress, silent
from ..timeline import inbetween_times, warn_of_direction
from ..warp import preview_motion
from .control.dwpose import Keyframes, PoseFinder, open_pose_finder
from .control.matching import MORE_LINES, Matcher, open_matcher
from .control.motion import FoundMotion, find_motion
from .frame_maker import FrameMaker
from .media.matches_file import read_matches
from .media.poses_file import read_poses
from .spec import PreviewSpec


class PreviewMaker(FrameMaker):
    """Finds what moves between two pictures, and draws it: control frames and a preview.

    Files and settings are checked at once. Matcher and pose detector are loaded when they are
    used first, and stay.

    Args:
        spec: its `first`, `last` and `output` are not used here.

    Raises:
        ModuleNotFoundError: a package is missing.
        UserError: a file or the device is missing, or a file holds something else.
    """

    spec_type = PreviewSpec
    named_parts = ("matcher", "poses")

    def __call__(
        self, first: np.ndarray, last: np.ndarray, *, progress: Progress = silent
    ) -> np.ndarray:
        """The preview between two pictures, which are fitted to its size.

        Args:
            first: uint8 [h, w, 3].
            last: uint8 [h, w, 3].
            progress: gets the stage, the number of its parts that are done, and their total.

        Returns:
            uint8 [T, H, W, 3]; the first and the last frame are the pictures.
        """
        keyframes = self.fit(first), self.fit(last)
        found = self.find_motion(keyframes, progress=progress)
        return self.draw_preview(keyframes, found, progress=progress)

    def find_motion(self, keyframes: Keyframes, *, progress: Progress = silent) -> FoundMotion:
        """Lines and people that both keyframes show; odd times of the motion are logged.

        Args:
            keyframes: uint8 [H, W, 3], of the spec's size.
        """
        warn_of_direction(self.spec.motion.timing)
        path = self.spec.matcher.matches
        return find_motion(
            keyframes,
            match=self._match,
            find_poses=self._find_poses,
            remedy=MORE_LINES if path is None else f"Add matches to {path}.",
            progress=progress,
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

    @cached_property
    def _match(self) -> Matcher:
        path = self.spec.matcher.matches
        if path is None:
            return open_matcher(self.spec.matcher, self.roots, device=self.device)
        matches = read_matches(path)
        if matches.size != self.size:
            height, width = matches.size
            raise UserError(
                f"{path} is for frames of {in_words(matches.size)} pixels, but these are "
                f"{in_words(self.size)}: set --width {width} and --height {height}."
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
