"""Frame windows of a long video, and the average of the predictions of all windows.

A span is the part of a video from one keyframe to the next, both included.

Source: Tian-one/FCVG pipeline/pipeline_FCVG.py:639-741 (after MultiDiffusion).
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..errors import UserError


@dataclass(frozen=True)
class Window:
    """Frames `start` ... `start + length - 1` of a longer video.

    Every window except the first of its span ignores the prediction for its own first frame.

    Attributes:
        begin: first frame of the span that the window lies in: the span's first keyframe.
        span: number of this span, 0 for the first.
    """

    start: int
    length: int
    begin: int = 0
    span: int = 0

    @property
    def frames(self) -> slice:
        """Which frames of the video the window sees."""
        return slice(self.start, self.start + self.length)

    @property
    def control_frames(self) -> list[int]:
        """Numbers of the window's control frames if it begins with its span's first one."""
        return [self.begin, *range(self.start + 1, self.start + self.length)]

    def cut_control(self, control: Tensor, *, repeats_first_frame: bool) -> Tensor:
        """The control frames or features that the window sees: [T, ...] -> [length, ...].

        Args:
            repeats_first_frame: whether every window begins with the first control frame of its
                span.
        """
        return control[self.control_frames if repeats_first_frame else self.frames]

    @property
    def counted(self) -> slice:
        """Which frames of the window count in the average."""
        return slice(0 if self.start == self.begin else 1, self.length)


def check_windows(num_frames: int, window: int, overlap: int) -> None:
    """Raise UserError unless `plan_windows` can plan these windows; fast for any number."""
    if num_frames < 2:
        raise UserError(f"A video needs at least 2 frames, got {num_frames}.")
    if window < 2:
        raise UserError(f"A window needs at least 2 frames, got {window}.")
    if num_frames > window and not 1 <= overlap < window:
        raise UserError(
            f"{num_frames} frames need windows of {window} that overlap by 1 to {window - 1} "
            f"frames, got an overlap of {overlap}."
        )


def plan_windows(num_frames: int, window: int, overlap: int) -> list[Window]:
    """Windows that cover a video; the last window is shifted back to end with the video.

    Args:
        num_frames: frames of the video.
        window: frames of a window. A video of at most this length has one window.
        overlap: frames that neighbouring windows share, 1 ... window - 1. A window does not count
            for its own first frame, so without an overlap this frame would count nowhere.

    Raises:
        UserError: no windows can be made of these numbers.
    """
    check_windows(num_frames, window, overlap)
    if num_frames <= window:
        return [Window(0, num_frames)]
    starts = range(0, num_frames - overlap, window - overlap)
    return [Window(min(start, num_frames - window), window) for start in starts]


def plan_spans(at: Sequence[int], window: int, overlap: int) -> list[Window]:
    """Windows that cover a video of several spans; no window reaches beyond its span.

    Neighbouring spans share the frame of their keyframe. With two keyframes the windows are those
    of `plan_windows`; with more, windows of different spans may differ in length.

    Args:
        at: frames of the keyframes, rising from 0; the last is the last frame of the video.
        window, overlap: see `plan_windows`.

    Raises:
        UserError: no windows can be made of these numbers.
    """
    return [
        replace(each, start=begin + each.start, begin=begin, span=span)
        for span, (begin, end) in enumerate(itertools.pairwise(at))
        for each in plan_windows(end - begin + 1, window, overlap)
    ]


def average_windows(
    latents: Tensor, windows: list[Window], predict: Callable[[Tensor, Window], Tensor]
) -> Tensor:
    """Predict every window, then average each frame over the windows in which the frame counts.

    A sampler's step is linear in the prediction, and all windows of one step begin from the same
    latents. So averaging predictions equals the official code's averaging of stepped latents.

    Args:
        latents: [T, ...] of the whole video.
        windows: as `plan_windows` or `plan_spans` returns them. The frame that two spans share is
            the mean of both.
        predict: takes the latents of a window, [length, ...], and the window.

    Returns:
        [T, ...] like `latents`.
    """
    if len(windows) == 1:
        return predict(latents, windows[0])
    total = torch.zeros_like(latents)
    count = latents.new_zeros(latents.shape[0], *[1] * (latents.ndim - 1))
    for window in windows:
        prediction = predict(latents[window.frames], window)
        total[window.frames][window.counted] += prediction[window.counted]
        count[window.frames][window.counted] += 1
    return total / count
