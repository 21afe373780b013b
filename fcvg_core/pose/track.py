"""People of two keyframes -> who is who, and where everybody is in every frame."""

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from ..choices import MISSING_JOINTS, MISSING_PEOPLE
from .skeleton import BODY, NUM_POINTS
from .types import Poses, is_seen


def match_people(poses0: Poses, poses1: Poses) -> Tensor:
    """Who of the first keyframe is who in the last: the matching that moves everybody least.

    People are as far apart as the joints that both keyframes show of them; where there are none,
    as the middles of their bodies. Two of whom nothing is seen in both are no pair: nothing of
    them could be drawn in between.

    Args:
        poses0, poses1: [P, ...] of each keyframe.

    Returns:
        [M, 2] int64 places in `poses0` (rising) and `poses1`; M is at most the smaller number of
        people.

    Source: Tian-one/FCVG utils/util.py match_bodies.
    Differs: the best matching as a whole, of all people, on seen joints; the reference takes one
    person after the other, and only the first ones where there are more.
    """
    points0, points1 = poses0.keypoints[:, BODY], poses1.keypoints[:, BODY]
    seen0, seen1 = is_seen(poses0), is_seen(poses1)
    shared = seen0[:, None] & seen1[None]  # [P0, P1, 134]
    joints = shared[..., BODY].double()
    distance = (points0[:, None] - points1[None]).norm(dim=-1)
    apart = (distance * joints).sum(-1) / joints.sum(-1).clamp(min=1)
    middle0, middle1 = _middles(points0, seen0[:, BODY]), _middles(points1, seen1[:, BODY])
    centers = (middle0[:, None] - middle1[None]).norm(dim=-1)
    cost = torch.where(joints.any(-1), apart, centers).detach().cpu()
    pairs = torch.stack([torch.from_numpy(who) for who in linear_sum_assignment(cost.numpy())], 1)
    return pairs[shared.any(-1)[pairs[:, 0], pairs[:, 1]]]


def interpolate_poses(
    poses0: Poses,
    poses1: Poses,
    times: Tensor,
    *,
    missing_joints: str,
    missing_people: str,
    pairs: Tensor | None = None,
) -> Poses:
    """People of every frame, each point moving straight from the first keyframe to the last.

    At a time of 0 everybody is as in the first keyframe, at a time of 1 as in the last.

    Args:
        poses0, poses1: [P, ...] of each keyframe.
        times: [T], 0 at the first keyframe and 1 at the last.
        missing_joints: between the keyframes a point that only one of them shows is left out
            ("hide"), or goes along with the body ("hold").
        missing_people: somebody whom only one keyframe shows keeps the place and fades ("fade"),
            or is left out of all frames ("drop").
        pairs: [M, 2], who is who; None for `match_people`.

    Returns:
        Poses [T, P, ...]: those who fade, so that they are drawn below the others; then the pairs.

    Raises:
        ValueError: another choice, or times that are not a row of numbers.

    Source: FCVG (arXiv 2412.11755); Tian-one/FCVG demo_FCVG.py infer_poses_interp.
    Differs: see the two choices; the reference lets a missing joint fly in from the corner of the
    person's box, and people of one keyframe vanish at once. In the last frame too people come in
    the order of the first keyframe.
    """
    for name, value, known in (
        ("missing_joints", missing_joints, MISSING_JOINTS),
        ("missing_people", missing_people, MISSING_PEOPLE),
    ):
        if value not in known:
            raise ValueError(f"expected {name} of {', '.join(known)}; got {value!r}")
    if times.ndim != 1:
        raise ValueError(f"expected times [T], got {list(times.shape)}")
    times = times.to(poses0.scores)
    pairs = match_people(poses0, poses1) if pairs is None else pairs
    moving = _move(poses0.people(pairs[:, 0]), poses1.people(pairs[:, 1]), times, missing_joints)
    if missing_people == "drop":
        return moving
    leaving = _still(poses0, pairs[:, 0], 1 - times)
    coming = _still(poses1, pairs[:, 1], times)
    return _join(leaving, coming, moving)


def blend_poses(start: Poses, end: Poses, times: Tensor) -> Poses:
    """Every point and score on the straight line between two, whether seen or not.

    Args:
        start, end: [P, ...], row i of both the same person.
        times: [T].

    Returns:
        [T, P, ...].

    Source: Tian-one/FCVG utils/util.py interpolate_linear.
    """
    t = times[:, None, None]

    # Not torch.lerp: the reference rounds this way, and drawing truncates to whole pixels.
    return Poses(
        start.keypoints + (end.keypoints - start.keypoints) * t[..., None],
        start.scores + (end.scores - start.scores) * t,
        start.brightness + (end.brightness - start.brightness) * times[:, None],
    )


def _move(start: Poses, end: Poses, times: Tensor, missing_joints: str) -> Poses:
    """Pairs of people, with what is to become of points that are not seen at both ends."""
    track = blend_poses(start, end, times)
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
    if len(times) and times[-1] == 1:  # to the last bit, as the reference's last frame
        keypoints[-1], scores[-1] = end.keypoints, end.scores
    return Poses(keypoints, scores, track.brightness)


def _drift(track: Poses, pose: Poses, shared: Tensor) -> Tensor:
    """How far the shared joints of each body are from a keyframe's: [T, P, 1, 2]."""
    weight = shared[:, BODY, None].double()
    moved = (track.keypoints - pose.keypoints)[..., BODY, :] * weight
    return moved.sum(-2, keepdim=True) / weight.sum(-2, keepdim=True).clamp(min=1)


def _still(poses: Poses, paired: Tensor, brightness: Tensor) -> Poses:
    """Those of a keyframe who are in no pair, at their places: [T, P, ...]."""
    alone = [i for i in range(poses.num_people) if i not in paired.tolist()]
    alone = poses.people(alone)
    frames = len(brightness)
    return Poses(
        alone.keypoints.expand(frames, -1, NUM_POINTS, 2),
        alone.scores.expand(frames, -1, NUM_POINTS),
        alone.brightness * brightness[:, None],
    )


def _join(*tracks: Poses) -> Poses:
    """The people of several tracks in one: each [T, P, ...]."""
    return Poses(
        torch.cat([track.keypoints for track in tracks], dim=1),
        torch.cat([track.scores for track in tracks], dim=1),
        torch.cat([track.brightness for track in tracks], dim=1),
    )


def _middles(points: Tensor, seen: Tensor) -> Tensor:
    """Middle of the seen points of each person, of all where none is: [P, 18, 2] -> [P, 2]."""
    weight = torch.where(seen.any(-1, keepdim=True), seen, True)[..., None].double()
    return (points * weight).sum(-2) / weight.sum(-2)
