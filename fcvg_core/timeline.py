"""Position of every frame between the two keyframes, 0..1."""

import itertools
import logging
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from .bounds import FRAMES
from .choices import REFERENCE, TIMINGS
from .errors import UserError
from .quoting import quote

# Maps the position in the video (0..1) to the progress of the motion (0..1).
EASINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "uniform": lambda x: x,
    "ease-in": lambda x: x**2,
    "ease-out": lambda x: 1 - (1 - x) ** 2,
    "ease-in-out": lambda x: x**2 * (3 - 2 * x),
}


def inbetween_times(num_frames: int, timing: str | Sequence[float] = REFERENCE) -> Tensor:
    """Progress of the motion in every frame, keyframes included: 0 at the first, 1 at the last.

    "reference" is FCVG's timing 0, 0, ..., 1, 1: the second frame repeats the first keyframe, and
    the second-to-last frame repeats the last keyframe. "uniform" moves evenly; the other timings
    start slowly, end slowly, or both.

    Args:
        num_frames: at least 2.
        timing: one of TIMINGS, or a curve: 2 to 1024 numbers in 0..1, spread evenly over the
            video and joined by straight lines. A curve of exactly `num_frames` numbers is used
            unchanged.

    Returns:
        [num_frames] float64, 0..1.

    Raises:
        UserError: there are fewer than 2 frames, the name is unknown, or the numbers of the curve
            are not valid.

    Source: Tian-one/FCVG demo_FCVG.py infer_gluestick_interp (`frac`).
    Differs: 3 frames give 0, 0.5, 1; there the official code divides by zero.
    """
    if num_frames < 2:
        raise UserError(f"expected at least 2 frames (both keyframes), got {num_frames}")
    if not isinstance(timing, str):
        return _sample_curve(timing, num_frames)
    if timing == REFERENCE:
        return _reference_times(num_frames)
    if timing not in EASINGS:
        raise UserError(
            f"expected one of the timings {', '.join(TIMINGS)}, or numbers in 0..1; "
            f"got {quote(timing)}"
        )
    return EASINGS[timing](torch.linspace(0, 1, num_frames, dtype=torch.float64))


def progress_at(times: Tensor, timing: str | Sequence[float]) -> Tensor:
    """Progress of a motion at any moment of its time, not only at the moments of frames.

    Args:
        times: [T], 0..1.
        timing: one of EASINGS, or 2 to 1024 numbers in 0..1, spread evenly over the time and
            joined by straight lines.

    Returns:
        [T] float64, 0..1.

    Raises:
        UserError: the name is unknown, or the numbers are not valid. "reference" depends on the
            number of frames, so it is unknown here.
    """
    times = times.to(torch.float64)
    if not isinstance(timing, str):
        values = _checked_curve(timing)
        return _join(values, times * (len(values) - 1))
    if timing not in EASINGS:
        raise UserError(
            f"expected one of the timings {', '.join(EASINGS)}, or numbers in 0..1; "
            f"got {quote(timing)}"
        )
    return EASINGS[timing](times)


def parse_timing(text: str) -> str | list[float]:
    """Parse a typed timing: a name of TIMINGS, or numbers separated by commas or spaces.

    Raises:
        UserError: the text is neither.
    """
    if text.strip() in TIMINGS:
        return text.strip()
    try:
        curve = [float(number) for number in text.replace(",", " ").split()]
        inbetween_times(2, curve)
    except ValueError as error:
        raise UserError(
            f"expected one of the timings {', '.join(TIMINGS)}, or 2 to {FRAMES.maximum} numbers "
            f"in 0..1, for example 0, 0.2, 1; got {quote(text)}"
        ) from error
    return curve


def warn_of_direction(timing: str | Sequence[float]) -> None:
    """Log in words where a curve does not lead from the first keyframe to the last.

    Args:
        timing: as `inbetween_times` takes it; the named timings lead from keyframe to keyframe.
    """
    if isinstance(timing, str):
        return
    start, end = timing[0], timing[-1]
    if start > end:
        logging.warning(
            "The motion runs backwards: its times go from %g to %g, but the video goes from the "
            "first keyframe (0) to the last keyframe (1). Write the times from 0 to 1.",
            start,
            end,
        )
    elif (start, end) != (0, 1):
        logging.warning(
            "The motion does not lead from keyframe to keyframe: its times go from %g to %g, but "
            "the video begins with the first keyframe (0) and ends with the last keyframe (1). "
            "Let the times begin with 0 and end with 1.",
            start,
            end,
        )
    elif any(later < earlier for earlier, later in itertools.pairwise(timing)):
        logging.info("The motion runs backwards for a while, because the times do not only rise.")


def _reference_times(num_frames: int) -> Tensor:
    if num_frames == 3:
        return torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)
    # The official code divides; linspace would round differently.
    between = torch.arange(num_frames - 2, dtype=torch.float64) / max(num_frames - 3, 1)
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64)
    return torch.cat([ends[:1], between, ends[1:]])


def _sample_curve(curve: Sequence[float], num_frames: int) -> Tensor:
    values = _checked_curve(curve)
    at = torch.arange(num_frames, dtype=torch.float64) * (len(values) - 1) / (num_frames - 1)
    return _join(values, at)


def _checked_curve(curve: Sequence[float]) -> Tensor:
    """Numbers as a tensor; UserError unless each is in 0..1 and there are 2 to 1024."""
    # NaN fails here as well.
    if len(curve) not in FRAMES or not all(0 <= time <= 1 for time in curve):
        raise UserError(
            f"expected at least 2 times and at most {FRAMES.maximum}, each in 0..1, got "
            f"{len(curve)}: {quote(list(curve))}"
        )
    return torch.tensor(list(curve), dtype=torch.float64)


def _join(values: Tensor, at: Tensor) -> Tensor:
    """Values [N] joined by straight lines, at positions [T] in 0..N - 1."""
    before = at.long().clamp(max=len(values) - 2)
    part = at - before
    return values[before] * (1 - part) + values[before + 1] * part
