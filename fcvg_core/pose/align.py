"""Poses of a driving video -> poses of a reference picture's person that move in the same way."""

import math

import numpy as np
import torch
from torch import Tensor

from ..errors import UserError
from .follow import follow_person, stack_padded
from .skeleton import MIN_SCORE, NUM_POINTS
from .types import Poses

# Joints that hardly move relative to the rest of the body: all but the arms.
FIT_JOINTS = {
    0: "nose", 1: "neck", 2: "right shoulder", 5: "left shoulder", 8: "right hip",
    9: "right knee", 10: "right ankle", 11: "left hip", 12: "left knee", 13: "left ankle",
    14: "right eye", 15: "left eye", 16: "right ear", 17: "left ear",
}  # fmt: skip
# Smallest standard deviation of joint positions (0..1) from which a size can be estimated.
MIN_SPREAD = 0.01
KERNEL_RADIUS = 3  # radius of the Gaussian kernel, in standard deviations


def drive_reference(
    frames: list[Poses],
    reference: Poses,
    *,
    driving_size: tuple[int, int],
    reference_size: tuple[int, int],
    one_person: bool,
    smoothing: float,
    reference_first: bool,
) -> Poses:
    """Poses that move the person of a reference picture like the people of a driving video.

    Args:
        frames: T poses [P, ...], the people in each frame of the video.
        reference: [P, ...] of the picture; its first person is used.
        driving_size, reference_size: (height, width) in pixels.
        one_person: use only the person who stays in the video longest.
        smoothing: strength for `smooth_poses`; used only if `one_person` is true.
        reference_first: begin with the pose of the reference picture, as the official code does.

    Returns:
        [T or T + 1, P, ...] in 0..1 of the picture.

    Raises:
        ValueError: `frames` is empty, or `align_poses` raises it.
        UserError: the picture and the video share no joint.

    Source: dvlab-research/ControlNeXt ControlNeXt-SVD-v2 utils/pre_process.py preprocess.
    """
    driving = follow_person(frames) if one_person else stack_padded(frames)
    reference = reference.people([0]) if one_person and reference.num_people else reference
    aligned = align_poses(
        driving, reference, driving_size=driving_size, reference_size=reference_size
    )
    if one_person:
        aligned = smooth_poses(aligned, strength=smoothing)
    moved = [aligned.frame(i) for i in range(len(frames))]
    return stack_padded([reference, *moved] if reference_first else moved)


def align_poses(
    driving: Poses,
    reference: Poses,
    *,
    driving_size: tuple[int, int],
    reference_size: tuple[int, int],
    min_score: float = MIN_SCORE,
) -> Poses:
    """People of a driving video, moved and scaled to the reference picture's person.

    The vertical scale is fitted by a line through the joints of all frames with exactly one
    person. The horizontal scale follows from it, so that bodies keep their proportions. All
    people in all frames get the same scale and shift, hands and faces included.

    Args:
        driving: people of a video, [T, P, ...]; a person without a score above 0 is absent.
        reference: people of a picture, [P, ...] or [1, P, ...]; the first person is used.
        driving_size, reference_size: (height, width) in pixels.
        min_score: joints of the driving video with a higher score are used. Minus infinity uses
            all joints, as the official code does; joints that were not found are at random places.

    Returns:
        [T, P, ...] in 0..1 of the reference picture.

    Raises:
        ValueError: a shape or a size is wrong.
        UserError: no joint is seen both in the picture and in the video.

    Source: dvlab-research/ControlNeXt ControlNeXt-SVD-v2 dwpose/preprocess.py get_video_pose.
    Differs: joints that were not found are ignored. If no frame shows exactly one person, the
        person who stays longest is used. If the heights of the joints give no size (all joints at
        one height, or upside down), their widths are used. If the widths give no size either, the
        vertical scale is 1.
    """
    ratio = _check_sizes(driving_size, reference_size)
    source, target = _shared_joints(driving, reference, min_score)  # [N, 2] each
    scale_y = _fit_scale(source[:, 1], target[:, 1])
    if scale_y is None:
        scale_x = _fit_scale(source[:, 0], target[:, 0])
        scale_y = 1.0 if scale_x is None else scale_x / ratio
    scale = np.array([scale_y * ratio, scale_y])
    shift = (target - source * scale).mean(0)
    like = driving.keypoints
    moved = like * like.new_tensor(scale) + like.new_tensor(shift)
    return Poses(moved, driving.scores, driving.brightness)


def smooth_poses(poses: Poses, *, strength: float) -> Poses:
    """Poses without jitter: each point is moved onto a straight line fitted to nearby frames.

    A frame's weight is a Gaussian over time multiplied by the point's score. So a point with a
    low score follows the same point in frames where its score is high. Uniform movement does not
    change, also at the first and the last frame, and there is no lag. Points that were not found
    do not move and have no weight.

    Args:
        poses: people of a video, [T, P, ...]; person i must be the same person in every frame,
            as from `follow_person`.
        strength: standard deviation of the Gaussian, in frames; 0 changes nothing.

    Returns:
        [T, P, ...] with the scores of `poses`.

    Raises:
        ValueError: `poses` is not a video, or the strength is negative.

    Source: Fan and Gijbels, Local Polynomial Modelling and Its Applications (1996), chapter 3.
        Scores are used as certainties, see Knutsson and Westin, Normalized and Differential
        Convolution (1993).
    """
    _check_video(poses)
    if not 0 <= strength < math.inf:
        raise ValueError(f"expected a strength of 0 frames or more, got {strength}")
    if strength == 0:
        return poses
    points, sure = poses.keypoints, poses.scores.clamp(min=0)[..., None]
    change = _local_line(points, sure, strength)
    return Poses(torch.where(sure > 0, points + change, points), poses.scores, poses.brightness)


def _local_line(points: Tensor, sure: Tensor, strength: float) -> Tensor:
    """Vector from each point [T, ...] to the line that is fitted around it."""
    num_frames = len(points)
    radius = min(math.ceil(KERNEL_RADIUS * strength), num_frames - 1)
    s0, s1, s2 = (torch.zeros_like(sure) for _ in range(3))  # moments of time
    t0, t1 = (torch.zeros_like(points) for _ in range(2))
    for k in range(-radius, radius + 1):
        here = slice(max(-k, 0), num_frames - max(k, 0))
        there = slice(max(k, 0), num_frames - max(-k, 0))
        weight = math.exp(-0.5 * (k / strength) ** 2) * sure[there]
        # Relative to the point itself, so that a still point keeps its exact value.
        pull = weight * (points[there] - points[here])
        s0[here] += weight
        s1[here] += weight * k
        s2[here] += weight * k**2
        t0[here] += pull
        t1[here] += pull * k
    spread = s0 * s2 - s1**2
    known = spread > 1e-9 * s0**2  # False: the point was found in one frame only
    return torch.where(known, s2 * t0 - s1 * t1, 0.0) / torch.where(known, spread, 1.0)


def _shared_joints(
    driving: Poses, reference: Poses, min_score: float
) -> tuple[np.ndarray, np.ndarray]:
    """Joints of the driving video and the same joints of the picture: two [N, 2], N > 0."""
    _check_video(driving)
    if reference.scores.ndim == 3 and len(reference.scores) == 1:
        reference = reference.frame(0)
    if reference.scores.ndim != 2:
        raise ValueError(
            f"expected one reference picture, scores [P, {NUM_POINTS}], "
            f"got {list(reference.scores.shape)}"
        )
    ids = list(FIT_JOINTS)
    wanted = (reference.scores[:1, ids] > MIN_SCORE).any(0, keepdim=True)  # [1, J]
    points, scores = _one_person(driving)
    found = scores[:, ids] > min_score  # [T, J]
    if not (wanted & found).any():
        raise UserError(
            "The reference picture and the driving video have no joint in common. The picture "
            f"shows: {_names(wanted)}. The video shows: {_names(found)}. Choose a picture and a "
            "video that show a person at least from the head to the hips."
        )
    rows, columns = torch.nonzero(wanted & found, as_tuple=True)
    source, target = points[:, ids][rows, columns], reference.keypoints[0, ids][columns]
    return source.detach().cpu().numpy(), target.detach().cpu().numpy()


def _one_person(driving: Poses) -> tuple[Tensor, Tensor]:
    """Points [T, 134, 2] and scores [T, 134] of all frames with exactly one person.

    If there is no such frame: points and scores of the person who stays in the video longest.
    """
    there = (driving.scores > 0).any(-1)  # [T, P]
    alone = there & (there.sum(-1, keepdim=True) == 1)
    if alone.any():
        return driving.keypoints[alone], driving.scores[alone]
    followed = follow_person([driving.frame(i) for i in range(len(driving.scores))])
    there = (followed.scores > 0).any(-1)
    return followed.keypoints[there], followed.scores[there]


def _fit_scale(source: np.ndarray, target: np.ndarray) -> float | None:
    """Slope of the line through points (source, target); None if the slope is not reliable."""
    if min(source.std(), target.std()) < MIN_SPREAD:
        return None
    offset = source - source.mean()
    slope = (offset @ target) / (offset @ offset)
    return float(slope) if slope > 0 else None


def _names(seen: Tensor) -> str:
    """Names of the joints that are seen in any frame: [..., J] bool -> text."""
    anywhere = seen.flatten(0, -2).any(0).tolist()
    names = zip(FIT_JOINTS.values(), anywhere, strict=True)
    return ", ".join(name for name, is_there in names if is_there) or "no joint"


def _check_sizes(driving: tuple[int, int], reference: tuple[int, int]) -> float:
    """Horizontal scale / vertical scale that keeps the proportions of bodies."""
    if min(*driving, *reference) < 1:
        raise ValueError(f"expected sizes of at least 1 x 1 pixel, got {driving} and {reference}")
    return reference[0] / driving[0] * driving[1] / reference[1]


def _check_video(poses: Poses) -> None:
    if poses.scores.ndim != 3 or len(poses.scores) == 0:
        raise ValueError(
            f"expected scores [T, P, {NUM_POINTS}] with T > 0, got {list(poses.scores.shape)}"
        )
