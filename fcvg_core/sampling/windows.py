"""Frame windows of a long video, and the average of what is predicted in them.

Source: Tian-one/FCVG pipeline/pipeline_FCVG.py:639-741 (after MultiDiffusion).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError


@dataclass(frozen=True)
class Window:
    """Frames `start` ... `start + length - 1` of a longer video.

    A window that does not begin the video contributes all frames but its own first one.
    """

    start: int
    length: int

    @property
    def frames(self) -> slice:
        """Which frames of the video the window sees."""
        return slice(self.start, self.start + self.length)

    @property
    def control_frames(self) -> list[int]:
        """Which control frames go with them, where the first is always the video's first."""
        return [0, *range(self.start + 1, self.start + self.length)]

    @property
    def counted(self) -> slice:
        """Which frames of the window count."""
        return slice(0 if self.start == 0 else 1, self.length)


def check_windows(num_frames: int, window: int, overlap: int) -> None:
    """Raise UserError unless `plan_windows` can plan; see there. Takes no time for any number."""
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
    """Windows that cover a video, the last one shifted back to end with it.

    Args:
        num_frames: frames of the video.
        window: frames of a window; a video no longer than this has one window.
        overlap: frames that neighbouring windows share, 1 ... window - 1. With none the first
            frame of a window, which does not count, would be in no window at all.

    Raises:
        UserError: for an overlap or a number of frames that can't work.
    """
    check_windows(num_frames, window, overlap)
    if num_frames <= window:
        return [Window(0, num_frames)]
    starts = range(0, num_frames - overlap, window - overlap)
    return [Window(min(start, num_frames - window), window) for start in starts]


def average_windows(
    latents: Tensor, windows: list[Window], predict: Callable[[Tensor, Window], Tensor]
) -> Tensor:
    """Predict every window, then average frame by frame over the windows that hold a frame.

    A sampler's step is linear in the prediction, and the windows of one step begin from the
    same latents: averaging predictions equals the reference's averaging of stepped latents.

    Args:
        latents: [T, ...] of the whole video.
        windows: as `plan_windows` returns them.
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
