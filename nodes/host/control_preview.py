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
    fade_keyframes,
)
from ...fcvg_core.frames import fit_frame, to_uint8
from ...fcvg_core.lines import LineMatches
from ...fcvg_core.pose import Poses, PoseStyle, interpolate_poses
from .animation import play, shown_frames, shown_size
from .images import first_picture

FPS = 7.0  # as Preview Motion plays, if its widget is not changed
Layer = Callable[[list[int], tuple[int, int]], np.ndarray]  # numbers of frames, size -> frames


@dataclass(frozen=True, eq=False)
class Background:
    """The keyframes, faded into each other as the motion goes on.

    Attributes:
        first, last: pictures [1, h, w, 3] of any size; None is black.
        times: [T], 0 at the first keyframe and 1 at the last.
    """

    first: Tensor | None
    last: Tensor | None
    times: Tensor

    @classmethod
    def read(
        cls, first_frame: Tensor | None, last_frame: Tensor | None, times: Tensor
    ) -> "Background":
        """The background of a node's optional IMAGE inputs.

        Raises:
            ValueError: an input is no picture.
        """
        pictures = (
            None if image is None else first_picture(image, name)
            for image, name in ((first_frame, "first_frame"), (last_frame, "last_frame"))
        )
        return cls(*pictures, times)

    def draw(self, numbers: list[int], size: tuple[int, int]) -> np.ndarray:
        """The frames with these numbers, of a size (height, width)."""
        keyframes = [
            np.zeros((*size, 3), np.uint8)
            if picture is None
            else fit_frame(to_uint8(picture[0]), size)
            for picture in (self.first, self.last)
        ]
        return fade_keyframes(*keyframes, self.times[numbers])


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


def show_inbetween(
    matches: LineMatches | None,
    people: tuple[Poses, Poses] | None,
    size: tuple[int, int],
    settings: ControlFrameSettings,
    background: Background,
) -> ui.SavedImages:
    """The part of a node's result that plays what `draw_inbetween` draws."""
    times, layers = background.times, [background.draw]
    if matches is not None:
        width, seed = settings.line_width, settings.seed
        layers.append(_draw_lines(matches, times, line_width=width, seed=seed))
    if people is not None:
        track = interpolate_poses(
            *people,
            times,
            missing_joints=settings.missing_joints,
            missing_people=settings.missing_people,
        )
        layers.append(_draw_people(track, settings.pose_style))
    return _play(size, len(times), layers)


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
