"""Clips in a row, as IMAGE batches."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ...fcvg_core.errors import UserError
from ...fcvg_core.sampling import join_clips


def join_frames(clips: Mapping[str, Tensor], shares_frame: bool) -> Tensor:
    """Two clips in a row; a picture that both share is shown once.

    Args:
        clips: the first and the second clip by the name of their input, each [T, H, W, 3].
        shares_frame: whether the second clip begins with the last picture of the first clip.

    Returns:
        [T1 + T2, H, W, 3], or a frame less if both share a picture.

    Raises:
        UserError: the clips differ in size, or nothing of the second clip would be left.
    """
    (name, first), (other, second) = clips.items()
    if first.shape[1:] != second.shape[1:]:
        height, width = first.shape[1:3]
        other_height, other_width = second.shape[1:3]
        raise UserError(
            f"{name} has {width} x {height} pixels, but {other} has {other_width} x "
            f"{other_height}: make both in the same size, or bring {other} to {width} x {height} "
            "with Crop & Resize."
        )
    if shares_frame and len(second) < 2:
        raise UserError(
            f"{other} is a single picture, and its first frame is left out, so that nothing would "
            "follow: connect the frames of a clip, or switch shares_frame off."
        )
    kept = join_clips([len(first), len(second)], [False, shares_frame])
    return torch.cat([clip[part] for clip, part in zip((first, second), kept, strict=True)])
