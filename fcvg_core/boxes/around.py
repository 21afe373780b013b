"""People and matched lines -> the boxes around them."""

from collections.abc import Collection, Sequence

import numpy as np

from ..errors import UserError
from ..lines import LineMatches, interpolate_lines
from ..pose import Poses, is_seen
from ..quoting import quote
from ..timeline import inbetween_times
from .placing import clip_track
from .types import BoxTrack


def around_points(
    points: np.ndarray, seen: np.ndarray, *, label: str, margin: float = 0.0
) -> BoxTrack:
    """The box around the seen points of each frame, as far as it lies in the frame.

    A frame without a seen point, or whose points enclose no area, has no box.

    Args:
        points: [T, K, 2] (x, y) as shares of the frame.
        seen: [T, K] bool; points that are NaN count as not seen.
        label: what the points show, in words.
        margin: what is added at each side, as a share of the width and height around the points.
    """
    points = np.asarray(points, np.float64)
    seen = (seen & np.isfinite(points).all(axis=2))[..., None]
    low = np.where(seen, points, np.inf).min(axis=1, initial=np.inf)
    high = np.where(seen, points, -np.inf).max(axis=1, initial=-np.inf)
    present = seen.any(axis=(1, 2))
    low, high = (np.where(present[:, None], x, 0) for x in (low, high))
    added = (high - low) * margin
    return clip_track(label, np.concatenate([low - added, high + added], axis=1), present)


def around_person(
    poses: Poses, person: int = 0, *, label: str = "person", margin: float = 0.1
) -> BoxTrack:
    """The box around the visible points of a person in each frame.

    Args:
        poses: [T, P, ...], for example of `follow_person` or `interpolate_poses`.
        person: its index, 0 to P - 1. In frames with brightness 0 it is absent.
        label, margin: see `around_points`. A head is larger than the points of its eyes and ears.

    Raises:
        UserError: there is no such person.
    """
    if not 0 <= person < poses.num_people:
        raise UserError(
            f"There is no person {person} among {poses.num_people}; expected a number from 0 to "
            f"{poses.num_people - 1}."
            if poses.num_people
            else "The poses show nobody; expected at least one person to draw a box around."
        )
    seen = is_seen(poses) & (poses.brightness > 0)[..., None]
    points = poses.keypoints[:, person].detach().cpu().numpy()
    shown = seen[:, person].cpu().numpy()
    return around_points(points, shown, label=label, margin=margin)


def around_lines(
    matches: LineMatches,
    num_frames: int,
    *,
    label: str,
    timing: str | Sequence[float] = "uniform",
    ids: Collection[int] | None = None,
    margin: float = 0.0,
) -> BoxTrack:
    """The box around matched lines as they move from the first keyframe to the last.

    Args:
        num_frames: at least 2.
        timing: see `inbetween_times`.
        ids: of the lines that belong to the object; None: all lines.
        label, margin: see `around_points`.

    Raises:
        UserError: no line has one of the ids, or the number of frames or the timing is not valid.
    """
    known = matches.ids.tolist()
    chosen = [i for i, number in enumerate(known) if ids is None or number in ids]
    if not chosen:
        which = "" if ids is None else f" with one of the ids {quote(sorted(ids))}"
        raise UserError(f"There is no matched line{which}; expected lines to draw a box around.")
    track = interpolate_lines(matches, inbetween_times(num_frames, timing))[:, chosen]
    points = track.detach().cpu().numpy().reshape(num_frames, -1, 2)
    points = points / np.array(matches.size[::-1], np.float64)
    return around_points(points, np.ones(points.shape[:2], bool), label=label, margin=margin)
