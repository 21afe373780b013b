"""Frames as an animation that the editor plays on a node by itself.

`web/js/redraw.js` makes the editor put it in place.
"""

import numpy as np
from comfy.model_management import throw_exception_if_processing_interrupted
from comfy_api.latest import io, ui
from torch import Tensor

from ...fcvg_core.frames import fit_frame, to_image

LONGEST_SIDE = 512  # pixels; larger frames are shrunk for the animation alone
MOST_FRAMES = 250  # of a longer video so many are shown, spread evenly, with both keyframes
# WebP, because every supported editor plays a WebP at once, in both styles of nodes. The fastest of
# its methods: 25 frames of 512 x 288 take 0.2 s on one core, and 0.4 s with the default method.
QUALITY, METHOD = 80, 0


def show_animation(frames: np.ndarray, fps: float) -> ui.SavedImages:
    """The part of a node's result that makes the editor play frames on the node.

    The frames are saved in the host's folder for temporary files, under a new name.

    Args:
        frames: [T, H, W, 3] uint8.
        fps: frames of the video a second; also if not every frame is shown.
    """
    count = min(len(frames), MOST_FRAMES)
    shown = [_shrink(frames[i]) for i in np.linspace(0, len(frames) - 1, count).round().astype(int)]
    saved = ui.ImageSaveHelper.save_animated_webp(
        shown,
        filename_prefix="fcvg_preview",
        folder_type=io.FolderType.temp,
        cls=None,  # without the graph, which the file needs no longer than the run
        fps=fps * count / len(frames),
        lossless=False,
        quality=QUALITY,
        method=METHOD,
    )
    return ui.SavedImages([saved], is_animated=True)


def _shrink(frame: np.ndarray) -> Tensor:
    """A frame [H, W, 3] as an image whose longest side has at most `LONGEST_SIDE` pixels."""
    throw_exception_if_processing_interrupted()
    height, width = frame.shape[:2]
    scale = min(LONGEST_SIDE / max(height, width), 1)
    size = (max(round(height * scale), 1), max(round(width * scale), 1))
    return to_image(fit_frame(frame, size)[None])[0]
