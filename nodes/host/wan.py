"""What models of the family Wan take: sizes, numbers of frames, and VACE's control video."""

import logging

import torch
from torch import Tensor

from ...fcvg_core.bounds import WAN_SIZE
from ...fcvg_core.errors import UserError
from .decoded import KnownFrame, put_back
from .fitting import fit_pictures

FRAMES_PER_LATENT = 4  # of Wan's VAE, after the first frame, which has a latent of its own


def check_wan_size(height: int, width: int) -> None:
    """Raise UserError unless Wan's models take pictures of this size."""
    for name, length in (("width", width), ("height", height)):
        if length not in WAN_SIZE:
            beside = " or ".join(map(str, WAN_SIZE.around(length)))
            raise UserError(
                f"{name} is {length}, but models of Wan take multiples of {WAN_SIZE.step} from "
                f"{WAN_SIZE}: set {beside}."
            )


def check_wan_frames(num_frames: int) -> None:
    """Raise UserError unless Wan's models make videos of so many frames: 4 * n + 1, n >= 1."""
    if num_frames > 1 and num_frames % FRAMES_PER_LATENT == 1:
        return
    below = num_frames - (num_frames - 1) % FRAMES_PER_LATENT
    beside = (below, below + FRAMES_PER_LATENT) if below > 1 else (1 + FRAMES_PER_LATENT,)
    raise UserError(
        f"There are {num_frames} control frames, but models of Wan make 4 * n + 1 frames: set "
        f"num_frames to {' or '.join(map(str, beside))} where the control frames are drawn."
    )


def vace_control(
    control: Tensor, known: dict[int, KnownFrame], size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """A control video and its masks as core's WanVaceToVideo takes them.

    VACE keeps the pixels where the mask is 0, and paints where the mask is 1, guided by what the
    control video shows there. So keyframes stand in the control video with the mask 0, and all
    other frames are control frames with the mask 1.

    Args:
        control: [T, h, w, 3] in 0..1 from `check_image`, T = 4 * n + 1.
        known: keyframes by their frame.
        size: (height, width).

    Returns:
        video [T, *size, 3] and masks [T, *size], float32 in 0..1.

    Source: VACE (arXiv 2503.07598); ComfyUI comfy_extras/nodes_wan.py WanVaceToVideo.
    """
    check_wan_size(*size)
    check_wan_frames(len(control))
    video = fit_pictures(control, size, "control_frames").clone()
    put_back(video, known, match_colors=False)
    masks = torch.ones(video.shape[:3])
    masks[list(known)] = 0
    logging.info(
        "VACE paints %d of %d frames. Frames that are given: %s.",
        len(control) - len(known),
        len(control),
        ", ".join(map(str, known)) or "none",
    )
    return video, masks
