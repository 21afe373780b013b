"""The job of `animate`: what goes in, what steers the animation, and the files that come out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...errors import UserError
from ...files.claim import Claim
from ...files.writing import explained
from ...progress import Progress, silent
from ...signals import uninterrupted
from ..spec import AnimateSpec
from ..work import Work, setup_of, unusable_if_missing

if TYPE_CHECKING:
    import numpy as np

    from ...video import Sound
    from ..animate import AnimationPainter
    from ..driving_source import DrivingSource
    from .run_record import EarlierRun

PICTURES = 4  # of a frame in both videos: picture, poses and result side by side, result alone


@dataclass(frozen=True, eq=False)
class Steering:
    """What steers an animation, drawn before anything is painted.

    Attributes:
        reference: the picture, uint8 [H, W, 3] of the spec's size.
        control: control frames uint8 [T, H, W, 3], T >= 2.
        fps: frames a second of the control frames.
        sound: of the video; None: it has none, or it does not fit, or was not read yet.
    """

    reference: np.ndarray
    control: np.ndarray
    fps: float
    sound: Sound | None = None


class AnimateWork(Work[AnimateSpec]):
    """Animates the person of a picture, or draws the control frames alone."""

    command = "animate"

    @property
    def setup(self) -> str:
        """As `Work.setup`."""
        spec = self.spec
        return setup_of(
            self.command,
            None if spec.control_frames or spec.driving.drawn else spec.poses.detector,
            None if spec.conditions_only else (spec.models.options(), spec.machine.loading),
        )

    @cached_property
    def picture(self) -> np.ndarray:
        """The picture uint8 [h, w, 3].

        Raises:
            UserError: it is not there, or is no picture.
        """
        from ..media.pictures import read_frame

        return read_frame(self.spec.image)

    @cached_property
    def source(self) -> DrivingSource:
        """The driving video, or the control frames; see `DrivingSource.of` for errors."""
        from ..driving_source import DrivingSource

        return DrivingSource.of(self.spec)

    @cached_property
    def reference(self) -> np.ndarray:
        """The picture, uint8 [H, W, 3] of the spec's size."""
        from ..media.pictures import fit_picture

        spec, result = self.spec, self.spec.result
        return fit_picture(self.picture, result.size, result.fit, result.anchor, name=spec.image)

    def check_named(self, run: EarlierRun | None = None) -> None:
        """Raise UserError unless the spec names a picture and what steers it.

        Args:
            run: the earlier run that lacks them.
        """
        spec = self.spec
        if not spec.image or bool(spec.video) == bool(spec.control_frames):
            lacking = f"{run.path} does not name both. " if run else ""
            raise UserError(
                f"{lacking}A picture and either a driving video or control frames are needed: "
                "python -m fcvg_core animate IMAGE VIDEO -o OUT"
            )

    def check(self) -> None:
        """As `Work.check`: the picture is read, of the video the first frames."""
        self.check_named()
        _ = self.picture, self.source
        self.open_preparer()

    def open(self, like: Any = None) -> AnimationPainter:
        """As `Work.open`."""
        from ..animate import AnimationPainter

        with unusable_if_missing():
            return AnimationPainter(self.spec, like)

    def open_preparer(self, like: Any = None) -> AnimationPainter:
        """As `Work.open_preparer`."""
        from ..animate import AnimationPainter

        return AnimationPainter(self.spec_on_cpu, like, paints=False)

    def prepare(self, preparer: AnimationPainter, progress: Progress = silent) -> Steering:
        """The fitted picture, control frames and sound."""
        steering = self._draw_control(preparer, progress)
        return steering if self.spec.conditions_only else self._with_sound(steering)

    def finish(
        self,
        maker: AnimationPainter,
        prepared: Steering | None,
        claim: Claim,
        progress: Progress = silent,
    ) -> None:
        """Write control frames, run.json, and, unless the spec says otherwise, both videos."""
        from ..media.writing import video_size, write_frames
        from .run_record import save_run

        if maker.models:
            claim.reserve(PICTURES * video_size((self.spec.result.frames, *maker.size, 3)))
        steering = prepared or self._draw_control(maker, progress)
        write_frames(claim.path / "condition", steering.control)
        save_run(claim.path, self.command, self.spec, maker.models)
        if not maker.models:
            return
        if prepared is None:
            steering = self._with_sound(steering)
        frames = maker.paint(steering.reference, steering.control, progress=progress)
        _write_videos(claim, frames, steering, self.spec.result.fps or steering.fps)

    def _draw_control(self, maker: AnimationPainter, progress: Progress) -> Steering:
        """The control frames, drawn or read; odd settings of the picture are logged."""
        from ...control import fit_control_frames

        self.check_named()
        reference, result = self.reference, self.spec.result
        frames, fps = self.source.read(result.frames)
        with closing(frames):
            if self.source.drawn:
                control = fit_control_frames(frames, result.size, result.fit, result.anchor)
            else:
                control = maker.draw_control(reference, frames, progress=progress)
        return Steering(reference, control, fps)

    def _with_sound(self, steering: Steering) -> Steering:
        """The same with the video's sound, if the animation keeps it."""
        result = self.spec.result
        if not result.audio:
            return steering
        played = result.fps or steering.fps
        sound = self.source.read_sound(len(steering.control), steering.fps, played)
        return replace(steering, sound=sound)


def _write_videos(
    claim: Claim, frames: Iterator[np.ndarray], steering: Steering, fps: float
) -> None:
    """Write both videos, frame by frame as the frames are decoded."""
    from ...frames import side_by_side
    from ..media.video import VideoWriter
    from ..media.writing import video_size

    control = steering.control
    with explained(claim.path), ExitStack() as stack:
        # The result is closed first.
        compared, result = (
            stack.enter_context(VideoWriter(claim.path / name, fps, sound=steering.sound))
            for name in ("side_by_side.mp4", "result.mp4")
        )
        for i, (frame, steered) in enumerate(zip(frames, control, strict=True)):
            claim.release(PICTURES * video_size(control[i + 1 :].shape))  # frames still to come
            with uninterrupted():
                result.write(frame)
                compared.write(side_by_side(steering.reference, steered, frame))
