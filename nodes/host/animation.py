"""Frames as an animation that the editor plays on a node by itself.

`web/js/redraw.js` makes the editor put it in place.
"""

from collections.abc import Sequence

import numpy as np
from comfy.model_management import throw_exception_if_processing_interrupted
from comfy_api.latest import io, ui

from ...fcvg_core.frames import fit_frame, to_image

LONGEST_SIDE = 512  # pixels; larger frames are shrunk for the animation alone
MOST_FRAMES = 250  # of a longer video so many are shown, spread evenly, with both keyframes
# WebP, because every supported editor plays a WebP at once, in both styles of nodes. The fastest of
# its methods: 25 frames of 512 x 288 take 0.2 s on one core, and 0.4 s with the default method.
QUALITY, METHOD = 80, 0


def show_animation(frames: np.ndarray, fps: float) -> ui.SavedImages:
    """The part of a node's result that makes the editor play frames on the node.

    Args:
        frames: [T, H, W, 3] uint8.
        fps: frames of the video a second; also if not every frame is shown.
    """
    size = shown_size(frames.shape[1:3])
    shown = [_shrink(frames[i], size) for i in shown_frames(len(frames))]
    return play(shown, fps * len(shown) / len(frames))


def shown_frames(num_frames: int) -> list[int]:
    """The frames of a video that are played."""
    count = min(num_frames, MOST_FRAMES)
    return np.linspace(0, num_frames - 1, count).round().astype(int).tolist()


def shown_size(size: tuple[int, int]) -> tuple[int, int]:
    """(height, width) in which frames are played: at most `LONGEST_SIDE` pixels a side."""
    scale = min(LONGEST_SIDE / max(size), 1)
    return max(round(size[0] * scale), 1), max(round(size[1] * scale), 1)


def play(frames: Sequence[np.ndarray], fps: float) -> ui.SavedImages:
    """As `show_animation`, for frames [H, W, 3] uint8 that are played as they are.

    The frames are saved in the host's folder for temporary files, under a new name.
    """
    saved = ui.ImageSaveHelper.save_animated_webp(
        to_image(np.stack(frames)),
        filename_prefix="fcvg_preview",
        folder_type=io.FolderType.temp,
        cls=None,  # without the graph, which the file needs no longer than the run
        fps=fps,
        lossless=False,
        quality=QUALITY,
        method=METHOD,
    )
    return ui.SavedImages([saved], is_animated=True)


def _shrink(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    throw_exception_if_processing_interrupted()
    return fit_frame(frame, size)
