"""Pictures in, a preview of the motion between them out, without models that paint."""

from functools import cached_property
from typing import Any

import numpy as np

from ..canvas import in_words
from ..choices import FCVG_STYLE
from ..control import ControlFrameSettings, draw_keyframes
from ..errors import UserError
from ..motion import Edits, Motion, check_keyframes, merge_edits, span_times, spread_keyframes
from ..pose import STYLES, Poses
from ..progress import Progress, silent
from ..timeline import warn_of_direction
from ..warp import preview_keyframes
from .control.dwpose import Keyframes, PoseFinder, open_pose_finder
from .control.edits_file import read_edits
from .control.matching import MORE_LINES, Matcher, open_matcher
from .control.motion import find_motion
from .frame_maker import FrameMaker
from .media.matches_file import read_matches
from .media.poses_file import read_poses
from .spec import PreviewSpec
from .work import about_models


class PreviewMaker(FrameMaker):
    """Finds what moves between pictures, and draws it: control frames and a preview.

    Files and settings are checked at once. Matcher and pose detector are loaded when they are
    used first, and stay.

    Args:
        spec: its `output` is not used here, nor are its pictures; how many pictures it names
            counts.
        like: maker of an earlier job, whose matcher and pose detector are kept if they are the
            same.
        more: what other makers take, see `Painter`.

    Raises:
        ModuleNotFoundError: a package is missing.
        UserError: a file or the device is missing, a file holds something else, or no video has
            keyframes at these frames.
    """

    spec_type = PreviewSpec
    named_parts = ("matcher", "poses", "motion")

    def __init__(self, spec: PreviewSpec, like: FrameMaker | None = None, **more: Any):
        super().__init__(spec, like, **more)
        if len(self.at) > 2:
            self._check_several()

    @cached_property
    def at(self) -> tuple[int, ...]:
        """Frames of the keyframes, from the first frame of the video to the last."""
        spec = self.spec
        count = 2 + len(spec.between)
        if spec.at is None:
            return spread_keyframes(count, spec.result.frames)
        if spec.first is not None:
            check_count(count, spec.at)
        return check_keyframes(spec.at, spec.result.frames)

    def __call__(self, *pictures: np.ndarray, progress: Progress = silent) -> np.ndarray:
        """The preview between pictures, which are fitted to its size.

        Args:
            pictures: as many as the spec has keyframes, in the order of time, uint8 [h, w, 3].
            progress: gets the stage, the number of its parts that are done, and their total.

        Returns:
            uint8 [T, H, W, 3]; the frames of the keyframes are the pictures.
        """
        keyframes = self.fit_all(pictures)
        found = self.find_motion(keyframes, progress=progress)
        return self.draw_preview(keyframes, found, progress=progress)

    def fit_all(self, pictures: Keyframes) -> Keyframes:
        """The keyframes of the video from pictures uint8 [h, w, 3], one for each keyframe."""
        check_count(len(pictures), self.at)
        return tuple(map(self.fit, pictures))

    def find_motion(self, keyframes: Keyframes, *, progress: Progress = silent) -> Motion:
        """What moves between keyframes, with the edits of the spec; odd times are logged.

        Args:
            keyframes: uint8 [H, W, 3], of the spec's size.
        """
        if len(self.at) == 2:
            warn_of_direction(self.spec.motion.timing)
        path, edits = self.spec.matcher.matches, self._edits
        found = find_motion(
            keyframes,
            match=self._match,
            find_poses=self._find_poses,
            remedy=MORE_LINES if path is None else f"Add matches to {path}.",
            progress=progress,
        )
        return found if edits is None else merge_edits(edits, found.spans[0], found.size).motion

    def draw_control(self, found: Motion) -> np.ndarray:
        """Control frames uint8 [T, H, W, 3]: what moves, as it moves between keyframes."""
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
        return draw_keyframes(found, self.at, settings)

    def draw_preview(
        self, keyframes: Keyframes, found: Motion, *, progress: Progress = silent
    ) -> np.ndarray:
        """Preview frames uint8 [T, H, W, 3]: the keyframes' own pixels, moved and blended.

        Args:
            keyframes: uint8 [H, W, 3], of the spec's size.
            found: what moves between these keyframes.
        """
        timing = self.spec.motion.timing
        return preview_keyframes(keyframes, self.at, timing, found, progress=progress)

    def check_files(self) -> None:
        """Read the files that the spec names in place of what would be found.

        Raises:
            UserError: a file can't be read, holds something else, or is for another size.
        """
        if self.spec.matcher.matches is not None:
            self._given_matches()
        if self.spec.poses.poses:
            self._given_people()
        _ = self._edits

    def _check_several(self) -> None:
        """Raise UserError for what only two keyframes can have."""
        given = {
            "matches": self.spec.matcher.matches,
            "poses": self.spec.poses.poses,
            "edits": self.spec.motion.edits,
        }
        for name, value in given.items():
            if value:
                raise UserError(
                    f"--{name} is for two keyframes, but there are {len(self.at)}: leave it out."
                )
        span_times(self.at, self.spec.motion.timing)  # refuses times that do not rise

    @cached_property
    def _match(self) -> Matcher:
        choice = self.spec.matcher
        if choice.matches is None:
            return self.opened.get("matcher", (choice, self.device), self._open_matcher)
        return self._given_matches()

    def _open_matcher(self) -> Matcher:
        with about_models():
            return open_matcher(self.spec.matcher, self.roots, device=self.device)

    def _given_matches(self) -> Matcher:
        path = self.spec.matcher.matches
        matches = read_matches(path)
        if matches.size != self.size:
            height, width = matches.size
            raise UserError(
                f"{path} is for frames of {in_words(matches.size)} pixels, but these are "
                f"{in_words(self.size)}: set --width {width} and --height {height}."
            )
        return lambda *keyframes: matches

    @cached_property
    def _edits(self) -> Edits | None:
        path = self.spec.motion.edits
        return None if path is None else read_edits(path)

    @cached_property
    def _find_poses(self) -> PoseFinder | None:
        choice = self.spec.poses
        if choice.poses is False:
            return None
        if choice.poses is None:
            key = (choice.detector, self.device, self.cpu_only)
            return self.opened.get("pose finder", key, self._open_pose_finder)
        people = self._given_people()
        return lambda keyframes: people

    def _open_pose_finder(self) -> PoseFinder | None:
        choice = self.spec.poses
        with about_models():
            return open_pose_finder(choice, self.roots, device=self.device, cpu_only=self.cpu_only)

    def _given_people(self) -> tuple[Poses, Poses]:
        first, last = self.spec.poses.poses
        return read_poses(first, size=self.size), read_poses(last, size=self.size, frame=-1)


def check_count(count: int, at: tuple[int, ...]) -> None:
    """Raise UserError unless there is a picture for each keyframe."""
    if count < 2:
        raise UserError("There is one picture, but a video goes from a picture to another one.")
    if count != len(at):
        frames = ", ".join(map(str, at))
        raise UserError(
            f"There are {count} pictures, but {len(at)} frames for them (at: {frames}): give a "
            "frame for each picture, in the order of time."
        )
