"""What a node that draws control frames plays on itself: the same motion, easy to see."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

import numpy as np
from comfy.model_management import throw_exception_if_processing_interrupted
from comfy_api.latest import ui
from torch import Tensor

from ...fcvg_core.control import (
    ControlFrameSettings,
    cover,
    draw_thick_lines,
    draw_thick_people,
    draw_thick_track,
    fade_keyframes,
)
from ...fcvg_core.frames import fit_frame, to_uint8
from ...fcvg_core.lines import LineMatches
from ...fcvg_core.motion import LineTrack, MotionTrack
from ...fcvg_core.pose import Poses, PoseStyle
from .animation import play, shown_frames, shown_size
from .images import first_picture
from .keyframes import NO_KEYFRAMES, Keyframes

FPS = 7.0  # as Preview Motion plays, if its widget is not changed
Layer = Callable[[list[int], tuple[int, int]], np.ndarray]  # numbers of frames, size -> frames


@dataclass(frozen=True, eq=False)
class Background:
    """The keyframes, faded into each other as the motion goes on.

    Attributes:
        pictures: of all keyframes, [1, h, w, 3] of any size; None is black.
        times: [T] where each frame is among them: 0 at the first keyframe, 1 at the second, and so
            on.
    """

    pictures: tuple[Tensor | None, ...]
    times: Tensor

    @classmethod
    def read(
        cls,
        first_frame: Tensor | None,
        last_frame: Tensor | None,
        times: Tensor,
        keyframes: Keyframes | None = None,
    ) -> "Background":
        """The background of a node's optional inputs.

        Raises:
            ValueError: an input is no picture.
        """
        ends = (
            None if image is None else first_picture(image, name)
            for image, name in ((first_frame, "first_frame"), (last_frame, "last_frame"))
        )
        first, last = ends
        return cls((first, *(keyframes or NO_KEYFRAMES).images, last), times)

    def draw(self, numbers: list[int], size: tuple[int, int]) -> np.ndarray:
        """The frames with these numbers, of a size (height, width)."""
        keyframes = [
            np.zeros((*size, 3), np.uint8)
            if picture is None
            else fit_frame(to_uint8(picture[0]), size)
            for picture in self.pictures
        ]
        times = self.times[numbers]
        before = times.long().clamp(max=len(keyframes) - 2)
        return np.concatenate(
            [
                fade_keyframes(*keyframes[span : span + 2], times[i : i + 1] - span)
                for i, span in enumerate(before.tolist())
            ]
        )


def show_lines(
    matches: LineMatches, background: Background, *, line_width: int, seed: int
) -> ui.SavedImages:
    """The part of a node's result that plays what `draw_moving_lines` draws."""
    drawn = _draw_lines(matches, background.times, line_width=line_width, seed=seed)
    return _play(matches.size, len(background.times), [background.draw, drawn])


def show_people(
    track: Poses, size: tuple[int, int], style: PoseStyle, background: Background | None = None
) -> ui.SavedImages:
    """The part of a node's result that plays people [T, P, ...]; without background, on black."""
    layers = [] if background is None else [background.draw]
    return _play(size, len(track.scores), [*layers, _draw_people(track, style)])


def show_motion(
    track: MotionTrack, settings: ControlFrameSettings, background: Background
) -> ui.SavedImages:
    """The part of a node's result that plays what `draw_motion` draws."""
    layers = [background.draw]
    for lines in (track.lines, track.paths):
        if lines is not None:
            layers.append(_draw_track(lines, track.size, settings))
    if track.people is not None:
        layers.append(_draw_people(track.people, settings.pose_style))
    return _play(track.size, settings.num_frames, layers)


def _draw_track(lines: LineTrack, full: tuple[int, int], settings: ControlFrameSettings) -> Layer:
    return lambda numbers, size: draw_thick_track(
        lines, numbers, full, size, line_width=settings.line_width, seed=settings.seed
    )


def _draw_lines(matches: LineMatches, times: Tensor, *, line_width: int, seed: int) -> Layer:
    return lambda numbers, size: draw_thick_lines(
        matches, times[numbers], size, line_width=line_width, seed=seed
    )


def _draw_people(track: Poses, style: PoseStyle) -> Layer:
    return lambda numbers, size: draw_thick_people(track.frame(numbers), size, style=style)


def _play(size: tuple[int, int], num_frames: int, layers: list[Layer]) -> ui.SavedImages:
    """Play layers over each other, in the time that all frames of the video take."""
    throw_exception_if_processing_interrupted()
    numbers, small = shown_frames(num_frames), shown_size(size)
    frames = reduce(cover, [draw(numbers, small) for draw in layers])
    return play(frames, FPS * len(numbers) / num_frames)
