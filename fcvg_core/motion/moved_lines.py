"""Lines that a camera carries along: those of one picture, or those of a known motion."""

import logging
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ..choices import LINE_DETECTORS
from ..frames import to_gray
from ..lines import LineMatches, detect_lines, warn_of_few
from ..lines.lsd import MIN_LENGTH
from ..lines.motion import apply_homography
from ..lines.track import path_length
from ..lines.types import check_frame_size
from .camera import Camera
from .types import Motion, Span


def move_lines(
    picture: np.ndarray,
    camera: Camera,
    *,
    max_lines: int,
    remedy: str,
    min_length: float = MIN_LENGTH,
    detector: str = LINE_DETECTORS[0],
) -> Motion:
    """The lines of a picture, as they move under a camera; the log says how many there are.

    Args:
        picture: [H, W, 3] uint8, at least 64 pixels a side.
        camera: its move.
        max_lines, min_length, detector: see `detect_lines`.
        remedy: what the user can do to get more lines, as a sentence.

    Returns:
        One span with the camera: at every time its lines lie where the camera carries them. A line
        may leave the frame. There are no lines if the picture shows none.

    Raises:
        UserError: the picture is too small, or the detector is not installed.
    """
    check_frame_size(picture)
    size = picture.shape[:2]
    found = detect_lines(
        to_gray(picture), max_lines=max_lines, min_length=min_length, detector=detector
    )
    carried = carry_lines(found.lines, camera, size)
    # The shortest way would swap the ends of a line that turns by more than 90 degrees.
    swapped = path_length(found.lines, carried) >= path_length(found.lines, carried.flip(1))
    matches = LineMatches(found.lines, carried, size, scores=found.scores, kept_ends=swapped)
    count = len(matches.ids)
    logging.info("%d line%s with the camera.", count, " moves" if count == 1 else "s move")
    warn_of_few(matches, remedy=remedy)
    return Motion(size, (Span(matches=matches, camera=camera),))


def carry_lines(lines: Tensor, camera: Camera, size: tuple[int, int]) -> Tensor:
    """Where lines of the first keyframe lie in the last keyframe.

    Args:
        lines: [N, 2, 2] (x, y) in pixels.
        camera: its move.
        size: (height, width) of the keyframes, in pixels.

    Returns:
        [N, 2, 2] float32.
    """
    last = camera.at(torch.ones(1), size)[0].numpy()
    return torch.from_numpy(apply_homography(last, lines.double().numpy())).float()


def bend_motion(motion: Motion, camera: Camera) -> Motion:
    """A motion whose ways between the keyframes bend as a camera moves; the keyframes stay.

    Args:
        motion: its own cameras are replaced.
        camera: its move from the first keyframe to the last. Between several keyframes each span
            gets an equal part of it.
    """
    part = camera.part(1 / len(motion.spans))
    return replace(motion, spans=tuple(replace(span, camera=part) for span in motion.spans))
