"""What the canvas of Edit Motion gets: both keyframes as files, and what was found in them.

`web/js/edit_motion.js` shows them on the node.
"""

import uuid
from collections.abc import Sequence
from pathlib import Path

import folder_paths
import numpy as np
from comfy_api.latest import io, ui
from PIL import Image
from torch import Tensor

from ...fcvg_core.frames import fit_frame, to_uint8
from .fitting import fit_pictures
from .images import first_picture

LONGEST_SIDE = 1024  # pixels; larger keyframes are shrunk for the canvas alone
QUALITY = 90
# Names in edit_motion.js: of the part of a result, and of the pictures in it.
RESULT = "fcvg_motion"
KEYFRAMES = ("first", "last")


def read_keyframes(
    frames: Sequence[Tensor | None], size: tuple[int, int] | None
) -> tuple[list[Tensor | None], tuple[int, int] | None]:
    """Both keyframes at one size, which the log names if a picture is cropped for it.

    Args:
        frames: the IMAGE of the first keyframe and of the last; None: it is not connected.
        size: (height, width) that both get; None: that of the first frame, or else of the last.

    Returns:
        Each keyframe [H, W, 3] in 0..1 or None, and the size; None if nothing tells it.
    """
    names = [f"{name}_frame" for name in KEYFRAMES]
    pictures = [
        None if frame is None else first_picture(frame, name)
        for frame, name in zip(frames, names, strict=True)
    ]
    given = [tuple(picture.shape[1:3]) for picture in pictures if picture is not None]
    size = size or next(iter(given), None)
    fitted = [
        None if picture is None else fit_pictures(picture, size, name)[0]
        for picture, name in zip(pictures, names, strict=True)
    ]
    return fitted, size


def show_on_canvas(payload: dict, keyframes: Sequence[Tensor | None]) -> dict:
    """The part of a node's result that the canvas on the node reads.

    Args:
        payload: see `as_payload`.
        keyframes: from `read_keyframes`.
    """
    pictures = {
        name: None if frame is None else _save(to_uint8(frame), name)
        for name, frame in zip(KEYFRAMES, keyframes, strict=True)
    }
    return {RESULT: [{**payload, "pictures": pictures}]}


def _save(frame: np.ndarray, name: str) -> dict[str, str]:
    """Save a keyframe in the host's folder for temporary files, under a new name."""
    scale = min(LONGEST_SIDE / max(frame.shape[:2]), 1)
    height, width = (max(round(side * scale), 1) for side in frame.shape[:2])
    prefix = f"fcvg_motion_{name}_{uuid.uuid4().hex[:12]}"
    # The host makes the folder if it is not there.
    folder, stem, *_ = folder_paths.get_save_image_path(prefix, folder_paths.get_temp_directory())
    path = Path(folder, f"{stem}.jpg")
    Image.fromarray(fit_frame(frame, (height, width))).save(path, quality=QUALITY)
    return ui.SavedResult(path.name, "", io.FolderType.temp)
