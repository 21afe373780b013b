"""What conditions DropletVideo beside the text: the given pictures and where they are, as latents.

Source: IEIT-AGI/DropletVideo pipeline.py:128-180, 444-479, 798-888; inference.py.
"""

import numpy as np
import torch
from torch import Tensor

from ...errors import UserError
from .rules import FEWEST_FRAMES, FRAMES_A_LATENT, count_latents, padded_size

UNKNOWN = -1.0  # of a frame that is not given: black


def condition_frames(first: Tensor, last: Tensor | None, num_frames: int) -> Tensor:
    """The video of the given pictures: black where no frame is given.

    Args:
        first: [3, H, W] in -1..1, the first frame.
        last: [3, H, W] in -1..1, the end picture, or None. The model was not trained with one.
        num_frames: frames of the video, F: 4k + 1.

    Returns:
        [1, 3, F, H, W] in -1..1. The end picture fills the last four frames, which share a latent.

    Raises:
        UserError: a video of one frame shall have an end picture.
        ValueError: the pictures have different sizes.

    Differs: the official code has no end picture; the code on which it stands gives the last frame
        alone, so that the mask does not show this frame (see `mask_latents`).
    """
    check_end(num_frames, has_last=last is not None)
    video = torch.full_like(first, UNKNOWN)[None, :, None].repeat(1, 1, num_frames, 1, 1)
    video[0, :, 0] = first
    if last is not None:
        if last.shape != first.shape:
            raise ValueError(
                f"expected pictures of one size, got {list(first.shape)} and {list(last.shape)}"
            )
        video[0, :, -FRAMES_A_LATENT:] = last[:, None]
    return video


def augment(video: Tensor, strength: float, seed: int) -> Tensor:
    """A video with noise on the given pictures.

    Args:
        video: [1, 3, F, H, W] in -1..1, see `condition_frames`.
        strength: standard deviation of the noise; 0 adds none.
        seed: of the noise, 0 ... 2**64 - 1.

    Returns:
        [1, 3, F, H, W]; values that are exactly -1 stay, as the official code has it. They are the
        black of frames that are not given, and of the pictures.

    Differs: the noise has its own seed. The official code draws it from the generator that all
        its libraries share.
    """
    if not strength:
        return video
    generator = torch.Generator("cpu").manual_seed(seed)
    noise = torch.randn(video.shape, generator=generator).to(video)
    return torch.where(video == UNKNOWN, video, noise.mul_(strength).add_(video))


def mask_latents(
    num_frames: int, latent_size: tuple[int, int], *, has_last: bool, scale: float
) -> Tensor:
    """Which latent frames are given.

    Args:
        num_frames: frames of the video: 4k + 1.
        latent_size: (height, width) of the latents.
        has_last: whether an end picture is given.
        scale: value of a frame that is given: the scaling factor of the VAE's latents.

    Returns:
        [1, 1, T, h, w] float32: `scale` in the frames that are given, 0 in the others.

    Raises:
        UserError: a video of one frame shall have an end picture.

    Differs: the official code averages a mask of frames. The frames of a latent are given all or
        none here, so that their mean is this mask.
    """
    check_end(num_frames, has_last=has_last)
    mask = torch.zeros(1, 1, count_latents(num_frames), *latent_size)
    mask[:, :, 0] = scale
    if has_last:
        mask[:, :, -1] = scale
    return mask


def concat_conditions(mask: Tensor, latents: Tensor) -> Tensor:
    """What is concatenated to the noisy latents, the same for both predictions of guidance.

    Args:
        mask: [1, 1, T, h, w], see `mask_latents`.
        latents: [B, 16, T, h, w] of the given pictures, scaled.

    Returns:
        [B, 17, T, h, w] in the number format and on the device of the latents.
    """
    return torch.cat([mask.to(latents).expand(len(latents), -1, -1, -1, -1), latents], dim=1)


def pad_picture(picture: np.ndarray) -> np.ndarray:
    """A picture whose sides are multiples of 16: its edge is repeated at the right and below.

    Args:
        picture: [H, W, 3] of any number format.

    Returns:
        [H', W', 3], at most 15 pixels larger; the same array if it fits.
    """
    height, width = padded_size(picture.shape[:2])
    below, beside = height - picture.shape[0], width - picture.shape[1]
    if not below and not beside:
        return picture
    return np.pad(picture, ((0, below), (0, beside), (0, 0)), mode="edge")


def check_end(num_frames: int, *, has_last: bool) -> None:
    """Raise UserError for a video that is too short for an end picture."""
    if has_last and num_frames < FEWEST_FRAMES:
        raise UserError(
            f"A video with an end picture must have {FEWEST_FRAMES} frames or more, got "
            f"{num_frames}: use more frames, or leave out the end picture."
        )
