"""People of a driving video and of a reference picture -> control frames for the picture."""

import logging

import numpy as np

from ..choices import CONTROLNEXT_STYLE
from ..pose import STYLES, Poses, draw_poses, drive_reference
from ..settings import DrivingSettings


def draw_driven_people(
    driving: list[Poses],
    reference: Poses,
    settings: DrivingSettings,
    *,
    driving_size: tuple[int, int],
    size: tuple[int, int],
    reference_first: bool,
) -> tuple[Poses, np.ndarray]:
    """The picture's people as the driving video moves them, and frames that show them.

    A warning says in how many frames of the video nobody was found.

    Args:
        driving: people of every frame of the video, T of [P, ...].
        reference: people of the picture, [P, ...].
        driving_size: (height, width) of the video, in pixels.
        size: (height, width) of the picture and of the control frames, in pixels.
        settings: see `DrivingSettings`.
        reference_first: begin with the picture's own pose, which makes one frame more.

    Returns:
        Poses [T or T + 1, P, ...] and frames [T or T + 1, H, W, 3] uint8.

    Raises:
        UserError: nobody is in the video or in the picture, or they share no joint.

    Source: dvlab-research/ControlNeXt ControlNeXt-SVD-v2 utils/pre_process.py preprocess.
    """
    num_empty = sum(frame.num_people == 0 for frame in driving)
    if num_empty:
        logging.warning("Nobody is found in %d of the video's %d frames.", num_empty, len(driving))
    track = drive_reference(
        driving,
        reference,
        driving_size=driving_size,
        reference_size=size,
        one_person=settings.one_person,
        smoothing=settings.smoothing,
        reference_first=reference_first,
    )
    style = STYLES[CONTROLNEXT_STYLE].scaled(settings.pose_width).colored(settings.pose_colors)
    return track, draw_poses(track, size, style=style)
