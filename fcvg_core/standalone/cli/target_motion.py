"""How much a video shall move, as a number or shown by a file -> the FPS to try."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def fps_for(target: float | Path, first: np.ndarray, num_frames: int) -> int:
    """The FPS that may move pixels as far as a target; the log says what it was found from.

    Args:
        target: way of the pixels over the video as a share of the diagonal; or a file: a picture
            that the video should end with, a video, or a folder of frames.
        first: uint8 [H, W, 3], the first frame of the video.
        num_frames: of the video.

    Raises:
        UserError: the file is missing, damaged, or no picture or video.
    """
    from ...measures import fps_to_try

    displacement = target if isinstance(target, float) else _displacement(target, first)
    fps = fps_to_try(displacement, num_frames)
    logging.info(
        "Target motion: pixels move by %.3f of the diagonal over %d frames. FPS %d comes nearest "
        "in the published samples of DropletVideo: a guess, with no claim of accuracy.",
        displacement,
        num_frames,
        fps,
    )
    return fps


def _displacement(path: Path, first: np.ndarray) -> float:
    """The way of the pixels that a file shows."""
    from ...frames import fit_frame
    from ...measures import clip_displacement, mean_displacement
    from ..media.pictures import read_frame
    from ..media.video import read_every_frame, read_image_folder
    from ..media.video.folder import PICTURES

    if path.is_dir():
        return clip_displacement(read_image_folder(path, max_frames=None))
    if path.suffix.lower() in PICTURES - {".gif"}:
        return mean_displacement(first, fit_frame(read_frame(path), first.shape[:2]))
    return clip_displacement(read_every_frame(path))
