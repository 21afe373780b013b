"""What moves between the pictures of Preview Motion, and its pictures as exact as they came in."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ...fcvg_core.errors import UserError
from ...fcvg_core.lines import LineMatches
from ...fcvg_core.motion import Motion, Span, span_times
from ...fcvg_core.paths import Path
from .keyframes import Keyframes, place_motion
from .motion import collect_motion, join_inputs
from .poses import keyframe_frames


def collect_moving(
    motion: Motion | None,
    line_matches: LineMatches | None,
    poses: tuple[Any, Any],
    paths: Sequence[Path] | None,
    size: tuple[int, int],
    num_spans: int,
) -> Motion:
    """All that moves between pictures of a size; nothing moves if nothing is connected.

    Args:
        poses: the inputs first_pose and last_pose, in OpenPose's format.
        size: (height, width) of first_frame, in pixels.
        num_spans: number of pictures less 1.

    Raises:
        UserError: inputs exclude each other, or are of pictures of another size.
    """
    _check_size("line_matches are", "Match Lines", line_matches, size)
    _check_size("motion is", "Match Keyframes or Edit Motion", motion, size)
    if motion is not None:
        return collect_motion(motion, line_matches, poses, paths, None)
    keyframes = keyframe_frames(*poses) if any(pose is not None for pose in poses) else None
    if line_matches is None and keyframes is None and not paths:
        return Motion(size, (Span(),) * num_spans)
    return join_inputs(line_matches, keyframes, paths, size)


def place_pictures(motion: Motion, keyframes: Keyframes | None, num_frames: int) -> tuple[int, ...]:
    """Frames of all pictures, those between the first and the last included.

    Raises:
        UserError: the motion is known between more keyframes than there are pictures; or see
            `place_motion`.
    """
    if keyframes is None and motion.num_keyframes > 2:
        raise UserError(
            f"motion leads over {motion.num_keyframes} keyframes, but only first_frame and "
            "last_frame are connected: connect keyframes too."
        )
    return place_motion(motion, keyframes, num_frames)


def put_pictures_back(
    images: Tensor,
    pictures: Sequence[Tensor],
    at: Sequence[int],
    timing: str | Sequence[float],
    motion: Motion,
) -> None:
    """Write the keyframes into a preview [T, H, W, 3] as exact as they came in.

    A keyframe may have more than 8 bits, and the preview has 8.

    Args:
        pictures: keyframes, [H, W, 3] each.
        at: their frames.
        timing, motion: of the preview.
    """
    for i, times in enumerate(span_times(at, timing)):
        ends, span = pictures[i : i + 2], motion.spans[i]
        still = torch.equal(*ends) and not span.paths and span.camera is None
        for frame, time in enumerate([0.0, *times.tolist()[1:-1], 1.0], start=at[i]):
            if still or time in (0.0, 1.0):
                images[frame] = ends[round(time)]


def _check_size(
    what: str, source: str, moving: Motion | LineMatches | None, size: tuple[int, int]
) -> None:
    """Raise UserError unless what moves is known in pictures of a size (height, width)."""
    if moving is not None and tuple(moving.size) != size:
        raise UserError(
            f"{what} of pictures of {moving.size[1]} x {moving.size[0]} pixels, but "
            f"first_frame has {size[1]} x {size[0]}: connect the same pictures to {source} and "
            "to Preview Motion, both from Crop & Resize."
        )
