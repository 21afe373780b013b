"""A driving video and a reference picture -> control frames of the animation."""

from collections.abc import Iterable

import numpy as np

from ...control import draw_driven_people
from ...errors import UserError
from ...pose import PoseDetector, Poses
from ...progress import Progress, silent
from ...settings import DrivingSettings


def draw_driving_poses(
    frames: Iterable[np.ndarray],
    reference: np.ndarray,
    detector: PoseDetector,
    settings: DrivingSettings,
    *,
    max_frames: int,
    progress: Progress = silent,
) -> np.ndarray:
    """Control frames: first the reference picture's own pose, then a pose for each video frame.

    Only one frame of the video is in memory at a time.

    Args:
        frames: of the video, uint8 [h, w, 3] of one size.
        reference: the picture, uint8 [H, W, 3].
        detector: finds the people; its memory is freed at the end, also after an error.
        max_frames: the largest number of frames that the video may have, for the progress.

    Returns:
        [1 + frames, H, W, 3] uint8.

    Raises:
        UserError: the video has no frame, or nobody is in the video or in the picture.
    """
    try:
        poses, driving_size = _find_poses(frames, detector, max_frames, progress)
        reference_poses = detector(reference)
    finally:
        detector.release()
    _, control = draw_driven_people(
        poses,
        reference_poses,
        settings,
        driving_size=driving_size,
        size=reference.shape[:2],
        reference_first=True,
    )
    return control


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
    if not any(frame.num_people for frame in poses):
        raise UserError(
            f"Nobody is found in the {len(poses)} frames of the driving video: choose a video that "
            "shows a person. If it shows drawn poses, add --drawn."
        )
    return poses, size
