"""Decoded frames of DropletVideo: which are kept, and how far they move."""

import logging

from torch import Tensor

from ....fcvg_core.choices import TRIMMED
from ....fcvg_core.errors import UserError
from ....fcvg_core.frames import to_uint8
from ....fcvg_core.measures import clip_displacement, fps_to_try, mean_displacement
from ....fcvg_core.models.dropletvideo import rules
from ..fitting import fit_pictures


def trim_video(frames: Tensor, keep: str, *, size: tuple[int, int]) -> Tensor:
    """The frames of a decoded video that are kept, see `kept_frames`.

    Args:
        frames: [T, H, W, 3] from `check_image`: as many as the VAE decodes, or as were asked for.
        keep: one of KEPT_FRAMES.
        size: (height, width) in pixels, from the upper left corner; 0 keeps a side whole.

    Returns:
        [T', h, w, 3], a view.

    Raises:
        UserError: `frames` are not as many as DropletVideo makes, or smaller than `size`.
    """
    for name, wanted, found in zip(("height", "width"), size, frames.shape[1:3], strict=True):
        if wanted > found:
            raise UserError(
                f"{name} is {wanted}, but the frames have a {name} of {found} pixels: set {name} "
                "to the number that DropletVideo Conditioning was given, or to 0."
            )
    height, width = (wanted or None for wanted in size)
    video = frames[_kept(len(frames), trim=keep == TRIMMED), :height, :width]
    logging.info("%d of %d frames are kept.", len(video), len(frames))
    return video


def _kept(decoded: int, *, trim: bool) -> slice:
    """Which of the decoded frames are kept: 4n are decoded for 4n - 3, and 4n + 1 for 4n + 1."""
    beyond = decoded % rules.FRAMES_A_LATENT
    if beyond > 1:
        raise UserError(
            f"frames has {decoded} frames, but DropletVideo makes 4n or 4n + 1, for example 88 or "
            "85: connect the frames of VAE Decode as they are."
        )
    if beyond:
        return slice(None)  # as many as were asked for, or trimmed already
    return rules.kept_frames(rules.whole_frames(decoded), trim=trim)


def measure_motion(frames: Tensor, end_image: Tensor | None, num_frames: int) -> tuple[float, int]:
    """How far a clip moves, or the way from its first picture to another picture.

    Args:
        frames: [T, H, W, 3] from `check_image`.
        end_image: [1, h, w, 3] or None; it is fitted to the size of `frames`, of which the first
            picture counts then.
        num_frames: of the video that shall move as far.

    Returns:
        The displacement as a share of the diagonal, and the FPS to try, see `fps_to_try`.

    Raises:
        UserError: there is one picture alone.
    """
    if end_image is None:
        if len(frames) < 2:
            raise UserError(
                "frames is one picture, in which nothing moves: connect the frames of a clip, or "
                "a second picture to end_image."
            )
        displacement = clip_displacement(to_uint8(picture) for picture in frames)
    else:
        first = frames[0]
        (last,) = fit_pictures(end_image, first.shape[:2], "end_image")
        displacement = mean_displacement(to_uint8(first), to_uint8(last))
    fps = fps_to_try(displacement, num_frames)
    logging.info(
        "Pixels move by %.3f of the diagonal. For as much motion in %d frames try FPS %d: a guess "
        "from the published samples.",
        displacement,
        num_frames,
        fps,
    )
    return displacement, fps
