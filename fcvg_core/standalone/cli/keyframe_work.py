"""What the jobs share that take keyframes: what goes in, and what is drawn before they paint."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from ...progress import Progress
from ..spec import PreviewSpec
from ..work import Work
from .keyframe_files import check_keyframes_named, read_keyframes_of

if TYPE_CHECKING:
    import numpy as np

    from ...motion import Motion
    from ..control.dwpose import Keyframes
    from ..preview import PreviewMaker
    from .run_record import EarlierRun

K = TypeVar("K", bound=PreviewSpec)


@dataclass(frozen=True, eq=False)
class Drawn:
    """What moves between keyframes, drawn before anything is painted.

    Attributes:
        keyframes: uint8 [H, W, 3] each, of the spec's size.
        found: what moves between them; None: nothing steers the video.
        control: control frames uint8 [T, H, W, 3]; None as `found`.
        frames: the preview uint8 [T, H, W, 3]; None: it is not drawn yet, or not needed.
    """

    keyframes: Keyframes
    found: Motion | None
    control: np.ndarray | None
    frames: np.ndarray | None = None


class KeyframeWork(Work[K]):
    """What the jobs that take keyframes share."""

    @cached_property
    def keyframes(self) -> Keyframes:
        """The keyframes uint8 [H, W, 3], of the spec's size.

        Raises:
            UserError: a keyframe is not named, or is not there, or is no picture.
        """
        check_keyframes_named(self.spec, self.command)
        return read_keyframes_of(self.spec)

    def read_keyframes(self, run: EarlierRun | None) -> None:
        """Read the keyframes, and look for other files of an earlier run that are gone.

        Args:
            run: of --run.

        Raises:
            UserError: see `keyframes`; or a file of the earlier run is not there.
        """
        from .run_record import check_earlier_run

        check_keyframes_named(self.spec, self.command, run)
        check_earlier_run(self.spec, run)
        _ = self.keyframes

    def check(self) -> None:
        """Read keyframes, matches, people and edits; the settings have to go together."""
        _ = self.keyframes
        self.open_preparer().check_files()

    def conditions(self) -> tuple[Any, ...]:
        """What decides which matcher and which pose detector are loaded, for `setup_of`."""
        matcher, poses = self.spec.matcher, self.spec.poses
        return (
            None if matcher.matches else matcher.options(),
            poses.detector if poses.poses is None else None,
        )

    def draw_control(self, maker: PreviewMaker, progress: Progress) -> Drawn:
        """The control frames."""
        found = maker.find_motion(self.keyframes, progress=progress)
        return Drawn(self.keyframes, found, maker.draw_control(found))
