"""Which frames of sampled clips a video keeps: joined clips, loops, frames at given times."""

import math
from collections.abc import Iterable, Sequence

from ..errors import UserError


def join_clips(lengths: Sequence[int], shares_frame: Sequence[bool]) -> list[slice]:
    """Which frames of each clip a video of all clips keeps, so that no frame comes twice.

    If two clips share a frame, the video keeps the last frame of the earlier clip.

    Args:
        lengths: number of frames of each clip.
        shares_frame: for each clip, whether its first frame is the last frame of the clip before
            it. The first clip shares no frame.

    Returns:
        A slice of the frames of each clip.

    Raises:
        ValueError: the two lists don't fit, or the first clip shares a frame.
    """
    if len(lengths) != len(shares_frame):
        raise ValueError(f"{len(lengths)} clips need as many flags, got {len(shares_frame)}")
    if any(shares_frame[:1]):
        raise ValueError("the first clip has no clip before it, whose last frame it could share")
    return [
        slice(1 if shared else 0, length)
        for length, shared in zip(lengths, shares_frame, strict=True)
    ]


def trim_loop(num_frames: int) -> slice:
    """Which frames of a clip a loop keeps: all but the last frame, which is the first frame again.

    Raises:
        UserError: the clip has fewer than 2 frames.

    Source: Doubiiu/DynamiCrafter scripts/evaluation/inference.py (`--loop`).
    """
    if num_frames < 2:
        raise UserError(f"A loop needs at least 2 frames, got {num_frames}.")
    return slice(0, num_frames - 1)


def spread_frames(num_frames: int, times: Iterable[float]) -> list[int]:
    """For each wanted moment the number of the sampled frame that is nearest to it.

    Args:
        num_frames: of the sampled clip; its frames lie at even distances.
        times: positions in the clip, 0 (first frame) to 1 (last frame), in any order; a moment
            in the middle of two frames gets the later frame.

    Returns:
        Frame numbers from 0 to num_frames - 1, one for each moment.
    """
    return [math.floor(float(time) * (num_frames - 1) + 0.5) for time in times]
