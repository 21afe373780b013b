"""A driving video and a reference picture -> what every frame of the animation is steered by."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from ...errors import UserError
from ...frames import fit_frame
from ...pose import STYLES, PoseDetector, Poses, draw_poses, drive_reference

Progress = Callable[[str, int, int], None]  # stage, done, of how many


@dataclass(frozen=True, kw_only=True)
class DrivingSettings:
    """How a video's people move the one of a picture."""

    one_person: bool  # see `drive_reference`
    smoothing: float  # in frames
    pose_width: float  # times the width of lines that the model was trained on


def draw_driving_poses(
    frames: Iterable[np.ndarray],
    reference: np.ndarray,
    detector: PoseDetector,
    settings: DrivingSettings,
    *,
    max_frames: int,
    progress: Progress = lambda stage, done, total: None,
) -> np.ndarray:
    """Control frames: the reference's own pose, then that of every frame of the video.

    The video is looked at frame by frame, and no frame of it is kept.

    Args:
        frames: of the video, uint8 [h, w, 3] of one size.
        reference: the picture, uint8 [H, W, 3].
        max_frames: of the video, for the progress; it may be shorter.

    Returns:
        [1 + frames, H, W, 3] uint8.

    Raises:
        UserError: the video has no frame, or nobody is in it or in the picture.

    Source: ControlNeXt-SVD-v2 utils/pre_process.py preprocess.
    """
    size = reference.shape[:2]
    try:
        poses, driving_size = _find_poses(frames, detector, max_frames, progress)
        reference_poses = detector(reference)
    finally:
        detector.release()
    track = drive_reference(
        poses,
        reference_poses,
        driving_size=driving_size,
        reference_size=size,
        one_person=settings.one_person,
        smoothing=settings.smoothing,
        reference_first=True,
    )
    style = STYLES["controlnext-svd-v2"].scaled(settings.pose_width)
    return draw_poses(track, size, style=style)


def _find_poses(
    frames: Iterable[np.ndarray], detector: PoseDetector, max_frames: int, progress: Progress
) -> tuple[list[Poses], tuple[int, int]]:
    """The people of every frame, and the (height, width) of the frames."""
    poses: list[Poses] = []
    size = (0, 0)
    for frame in frames:
        size = frame.shape[:2]
        poses.append(detector(frame))
        progress("poses", len(poses), max(max_frames, len(poses) + 1))
    if not poses:
        raise UserError("The driving video has no frame.")
    progress("poses", len(poses), len(poses))
    empty = sum(each.num_people == 0 for each in poses)
    if empty:
        logging.warning("Nobody is found in %d of the video's %d frames.", empty, len(poses))
    return poses, size


def fit_control_frames(frames: Iterable[np.ndarray], size: tuple[int, int]) -> np.ndarray:
    """Control frames that were drawn before, at the size of the animation.

    Args:
        frames: uint8 [h, w, 3].
        size: (height, width) in pixels.

    Returns:
        [T, height, width, 3] uint8.
    """
    return np.stack([fit_frame(frame, size) for frame in frames])
