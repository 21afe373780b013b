"""What the node of the camera plays, and what it refuses."""

import numpy as np
from comfy.model_management import throw_exception_if_processing_interrupted
from comfy_api.latest import ui

from ...fcvg_core.errors import UserError
from ...fcvg_core.frames import fit_frame
from ...fcvg_core.motion import Camera, Motion, move_picture
from ...fcvg_core.timeline import inbetween_times
from .animation import play, shown_size
from .control_preview import FPS

NUM_FRAMES = 25  # of what is played, as many as FCVG was trained on


def play_camera(picture: np.ndarray, camera: Camera, border: str) -> ui.SavedImages:
    """The part of a node's result that plays a picture [H, W, 3] uint8 under a camera."""
    small = fit_frame(picture, shown_size(picture.shape[:2]))
    frames = []
    for time in inbetween_times(NUM_FRAMES, "uniform").tolist():
        throw_exception_if_processing_interrupted()
        frames.append(move_picture(small, camera, time, border))
    return play(frames, FPS)


def check_motion(motion: Motion, size: tuple[int, int]) -> None:
    """Raise UserError unless a motion is of pictures of a size (height, width)."""
    if tuple(motion.size) != tuple(size):
        raise UserError(
            f"motion is of keyframes of {motion.size[1]} x {motion.size[0]} pixels, but image has "
            f"{size[1]} x {size[0]}: connect pictures of one size, from Crop & Resize."
        )
