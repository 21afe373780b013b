"""Files that SMCD's official program writes beside the video.

Source: Mingxiao-Li/Animate-Your-Motion inference_customize.py.
Differs: the GIFs play at the frame rate of the video, where the official ones last 8 milliseconds
or 8 seconds a frame, as the version of imageio has it.
"""

from pathlib import Path

import numpy as np

from ...boxes import BoxTracks, draw_boxes
from ...files.writing import save_text
from ..media.writing import BLOCK, frames_size, write_frames, write_gif

VIDEO, BOXES, PROMPT, PICTURES = "cus_pred.gif", "boxes_pred.gif", "prompt.txt", "pred_box_img"


def official_size(shape: tuple[int, ...]) -> float:
    """Largest size in bytes of the files for frames [T, H, W, 3]: a GIF is no larger than PNGs."""
    return 3 * frames_size(shape) + BLOCK


def write_official(
    folder: Path, frames: np.ndarray, tracks: BoxTracks, prompt: str, fps: float
) -> None:
    """Write the video, its prompt, and the video with the boxes drawn into it.

    Args:
        frames: [T, H, W, 3] uint8.
        tracks: in the frames.

    Raises:
        UserError: a file can't be written.
    """
    drawn = draw_boxes(frames, tracks, show_labels=False)
    write_gif(folder / VIDEO, frames, fps)
    save_text(folder / PROMPT, prompt)
    write_frames(folder / PICTURES, drawn, name="pred_box_img_{}.png")
    write_gif(folder / BOXES, drawn, fps)
