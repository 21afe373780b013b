"""People of two keyframes -> matched people, and the position of every person in every frame."""

import torch
from torch import Tensor

from ..choices import MISSING_JOINTS, MISSING_PEOPLE
from .skeleton import BODY, NUM_POINTS
from .types import Poses, is_seen

MAX_DISTANCE = 1e9  # between people whose distance is no finite number, in widths of the frame


def match_people(poses0: Poses, poses1: Poses) -> Tensor:
    """Pairs of the same person in both keyframes: the matching with the least total movement.

    The distance of two people is the mean distance of the joints visible in both keyframes. If
    they share none, it is the distance of the middles of their bodies. People who share no
    visible joint are not paired, because there would be nothing to draw between the keyframes.

    Args:
        poses0, poses1: people of each keyframe, [P, ...].

    Returns:
        [M, 2] int64 indices into `poses0` (increasing) and `poses1`; M is at most the smaller
        number of people.

    Source: Tian-one/FCVG utils/util.py match_bodies.
    Differs: the total movement of all people is minimised, over visible joints. The official
        code matches one person after the other, and ignores people beyond the smaller number.
    """
    from scipy.optimize import linear_sum_assignment  # its import takes long

    points0, points1 = poses0.keypoints[:, BODY], poses1.keypoints[:, BODY]
    seen0, seen1 = is_seen(poses0), is_seen(poses1)
    shared = seen0[:, None] & seen1[None]  # [P0, P1, 134]
    joints = shared[..., BODY].double()
    distance = (points0[:, None] - points1[None]).norm(dim=-1)
    apart = (distance * joints).sum(-1) / joints.sum(-1).clamp(min=1)
    middle0, middle1 = _middles(points0, seen0[:, BODY]), _middles(points1, seen1[:, BODY])
    centers = (middle0[:, None] - middle1[None]).norm(dim=-1)
    cost = torch.where(joints.any(-1), apart, centers).detach().cpu()
    cost = cost.nan_to_num(MAX_DISTANCE, MAX_DISTANCE)  # joints may be too far away for a number
    pairs = torch.stack([torch.from_numpy(row) for row in linear_sum_assignment(cost.numpy())], 1)
    return pairs[shared.any(-1)[pairs[:, 0], pairs[:, 1]]]


def interpolate_poses(
    poses0: Poses,
    poses1: Poses,
    times: Tensor,
    *,
    missing_joints: str,
    missing_people: str,
    pairs: Tensor | None = None,
    ways: Poses | None = None,
) -> Poses:
    """People in every frame; each point moves straight from the first keyframe to the last.

    At time 0 the people are exactly as in the first keyframe, at time 1 as in the last.

    Args:
        poses0, poses1: people of each keyframe, [P, ...].
        times: [T], 0 at the first keyframe and 1 at the last.
        missing_joints: a point that only one keyframe shows is not drawn between the keyframes
            ("hide"), or it moves with the body ("hold").
        missing_people: a person whom only one keyframe shows stays in place and fades in or out
            ("fade"), or is not drawn in any frame ("drop").
        pairs: [M, 2] indices of the same people; None: from `match_people`.
        ways: [T, M, ...], where the points of the pairs are if they do not move straight; a point
            whose score is 0 moves straight.

    Returns:
        Poses [T, P, ...]: first the people who fade, so that they are drawn below the others;
        then the pairs.

    Raises:
        ValueError: a choice is unknown, or `times` is not one-dimensional.

    Source: FCVG (arXiv 2412.11755); Tian-one/FCVG demo_FCVG.py infer_poses_interp.
    Differs: the official code lets a missing joint fly in from the corner of the person's box, and
        people of one keyframe vanish at once. People keep the order of the first keyframe in the
        last frame, too.
    """
    _check_choice("missing_joints", missing_joints, MISSING_JOINTS)
    _check_choice("missing_people", missing_people, MISSING_PEOPLE)
    if times.ndim != 1:
        raise ValueError(f"expected times [T], got {list(times.shape)}")
    times = times.to(poses0.scores)
    pairs = match_people(poses0, poses1) if pairs is None else pairs
    start, end = poses0.people(pairs[:, 0]), poses1.people(pairs[:, 1])
    moving = _move(start, end, times, missing_joints, ways)
    if missing_people == "drop":
        return moving
    leaving = _still(poses0, pairs[:, 0], 1 - times)
    coming = _still(poses1, pairs[:, 1], times)
    return _join(leaving, coming, moving)


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"expected {name} to be one of {', '.join(known)}; got {value!r}")


def blend_poses(start: Poses, end: Poses, times: Tensor) -> Poses:
    """Every point and score interpolated linearly between two poses, also invisible points.

    Args:
        start, end: [P, ...]; row i of both is the same person.
        times: [T], 0 at `start` and 1 at `end`.

    Returns:
        [T, P, ...].

    Source: Tian-one/FCVG utils/util.py interpolate_linear.
    """
    t = times[:, None, None]
    # Not torch.lerp: the official code rounds this way, and drawing truncates to whole pixels.
    return Poses(
        start.keypoints + (end.keypoints - start.keypoints) * t[..., None],
        start.scores + (end.scores - start.scores) * t,
        start.brightness + (end.brightness - start.brightness) * times[:, None],
    )


def _move(
    start: Poses, end: Poses, times: Tensor, missing_joints: str, ways: Poses | None
) -> Poses:
    """Tracks of paired people; points seen in one keyframe only follow `missing_joints`."""
    track = blend_poses(start, end, times)
    if ways is not None:
        bent = ways.scores > 0
        keypoints = torch.where(bent[..., None], ways.keypoints, track.keypoints)
        track = Poses(keypoints, torch.where(bent, ways.scores, track.scores), track.brightness)
    between = ((times > 0) & (times < 1))[:, None, None]  # [T, 1, 1]
    seen0, seen1 = is_seen(start), is_seen(end)
    shared = seen0 & seen1
    scores = torch.where(between & ~shared, 0.0, track.scores)
    keypoints = track.keypoints
    if missing_joints == "hold":
        for pose, held in ((start, seen0 & ~seen1), (end, seen1 & ~seen0)):
            held = between & held
            carried = pose.keypoints + _drift(track, pose, shared)
            keypoints = torch.where(held[..., None], carried, keypoints)
            scores = torch.where(held, pose.scores, scores)
    if len(times) and times[-1] == 1:  # exactly equal to the keyframe, as in the official code
        keypoints[-1], scores[-1] = end.keypoints, end.scores
    return Poses(keypoints, scores, track.brightness)


def _drift(track: Poses, pose: Poses, shared: Tensor) -> Tensor:
    """Mean movement of each body's shared joints away from a keyframe: [T, P, 1, 2]."""
    weight = shared[:, BODY, None].double()
    moved = (track.keypoints - pose.keypoints)[..., BODY, :] * weight
    return moved.sum(-2, keepdim=True) / weight.sum(-2, keepdim=True).clamp(min=1)


def _still(poses: Poses, paired: Tensor, brightness: Tensor) -> Poses:
    """People of a keyframe who are in no pair, at their positions: [T, P, ...]."""
    alone = [i for i in range(poses.num_people) if i not in paired.tolist()]
    alone = poses.people(alone)
    frames = len(brightness)
    return Poses(
        alone.keypoints.expand(frames, -1, NUM_POINTS, 2),
        alone.scores.expand(frames, -1, NUM_POINTS),
        alone.brightness * brightness[:, None],
    )


def _join(*tracks: Poses) -> Poses:
    """The people of several tracks in one track: each [T, P, ...]."""
    return Poses(
        torch.cat([track.keypoints for track in tracks], dim=1),
        torch.cat([track.scores for track in tracks], dim=1),
        torch.cat([track.brightness for track in tracks], dim=1),
    )


def _middles(points: Tensor, seen: Tensor) -> Tensor:
    """Mean of each person's visible points, or of all points if none is visible: [P, 2]."""
    weight = torch.where(seen.any(-1, keepdim=True), seen, True)[..., None].double()
    return (points * weight).sum(-2) / weight.sum(-2)
