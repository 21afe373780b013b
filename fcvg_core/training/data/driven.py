"""Frames of a video of people -> control frames of the job animate, and how these are kept."""

import math
import struct
import zlib

import numpy as np
import torch

from ...catalogue.model_files import Roots
from ...choices import CONTROLNEXT_STYLE
from ...errors import UserError
from ...pose import STYLES, PoseDetector, draw_poses, stack_padded
from ...standalone.control.dwpose import need_detector
from ...standalone.spec import PoseChoice
from ..config import Conditions

HEAD = struct.Struct("<3I")  # frames, height, width


def open_people_finder(conditions: Conditions, roots: Roots, device: torch.device) -> PoseDetector:
    """DWPose, which the job animate can't do without, unless each clip has a pose video.

    Its method `release` frees its memory.

    Raises:
        UserError: a file is neither named nor found, or holds something else.
    """
    choice = PoseChoice(dwpose_det=conditions.dwpose_det, dwpose_pose=conditions.dwpose_pose)
    return need_detector(choice, roots, device=device, cpu_only=device.type == "cpu")


def find_driven(frames: np.ndarray, detector: PoseDetector) -> np.ndarray:
    """Control frames of a video: everybody in it, where they are, drawn as `animate` draws them.

    Args:
        frames: uint8 [T, H, W, 3].

    Returns:
        uint8 [T, H, W, 3], black where nobody is found.

    Raises:
        UserError: nobody is found in any frame.
    """
    people = stack_padded([detector(frame) for frame in frames])
    control = draw_poses(people, frames.shape[1:3], style=STYLES[CONTROLNEXT_STYLE])
    if not control.any():
        count = "1 frame" if len(frames) == 1 else f"{len(frames)} frames"
        raise UserError(
            f"Nobody is found in the {count} of the clip: choose frames that show a person, or "
            "give the clip a pose video (guide)."
        )
    return control


def pack_frames(frames: np.ndarray) -> bytes:
    """Frames uint8 [T, H, W, 3] without loss; few bytes if they are mostly black."""
    return HEAD.pack(*frames.shape[:3]) + zlib.compress(frames.tobytes())


def unpack_frames(content: bytes, *, name: str) -> np.ndarray:
    """The frames uint8 [T, H, W, 3] that `pack_frames` made into bytes.

    Args:
        name: of what holds them, for messages.

    Raises:
        UserError: the bytes are damaged.
    """
    try:
        shape = (*HEAD.unpack(content[: HEAD.size]), 3)
        # One byte more than expected: damage must not fill the memory.
        values = zlib.decompressobj().decompress(content[HEAD.size :], math.prod(shape) + 1)
        return np.frombuffer(bytearray(values), np.uint8).reshape(shape)
    except (struct.error, zlib.error, ValueError, OverflowError) as error:
        raise UserError(f"The control frames in {name} are damaged ({error}).") from error
