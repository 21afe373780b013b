"""Which found line or person an edit belongs to, by where both are, not by their numbers."""

from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree

from ..pose.skeleton import BODY
from .edits import Line

# Two findings in one keyframe are the same line or person if they are no farther apart, in pixels
# of a frame whose longer side is LONGER_SIDE. An edit belongs to what was found by the same rule:
# another seed or threshold of a matcher moves lines by less.
LONGER_SIDE = 1024
LINE_TOLERANCE = 4.0  # of each end of an edited line; of both ends together from span to span
PERSON_TOLERANCE = 16.0  # of a person's joints, on average
CANDIDATES = 32  # found lines in question for one edit


def tolerance_at(size: tuple[int, int], tolerance: float) -> float:
    """A tolerance in pixels of frames of a size (height, width)."""
    return tolerance * max(size) / LONGER_SIDE


def nearest_lines(
    origins: Sequence[tuple[Line, Line]], found: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Found matches near matched lines: all four ends lie within the tolerance.

    A segment has no direction: its ends count in the order that is nearer, in each keyframe.

    Args:
        origins: K lines of the first and of the last keyframe.
        found: [N, 2, 2, 2] lines of both keyframes, in pixels.
        size: (height, width) of the keyframes.

    Returns:
        Rows of `origins`, rows of `found`, and the distance of the farthest end, [M] each.
    """
    tolerance = tolerance_at(size, LINE_TOLERANCE)
    known = np.flatnonzero(np.isfinite(found).all(axis=(1, 2, 3)))
    if not len(origins) or not len(known):
        return np.empty(0, int), np.empty(0, int), np.empty(0)
    wanted = np.array(origins, np.float64)  # [K, 2, 2, 2]
    # The middles of lines are no farther apart than their ends.
    middles = [lines.mean(axis=2).reshape(-1, 4) for lines in (wanted, found[known])]
    _, near = cKDTree(middles[1]).query(
        middles[0],
        k=np.arange(1, min(CANDIDATES, len(known)) + 1),
        p=np.inf,
        distance_upper_bound=np.nextafter(tolerance, np.inf),
    )
    rows, places = np.nonzero(near < len(known))
    others = known[near[rows, places]]
    straight, swapped = (
        np.linalg.norm(wanted[rows] - ends, axis=-1).max(axis=-1)
        for ends in (found[others], found[others][:, :, ::-1])
    )  # [M, 2] each: the farther end in each keyframe
    apart = np.minimum(straight, swapped).max(axis=-1)
    kept = apart <= tolerance
    return rows[kept], others[kept], apart[kept]


def joint_distances(
    points: np.ndarray, seen: np.ndarray, others: np.ndarray, others_seen: np.ndarray
) -> np.ndarray:
    """Mean distance of a person from others over the joints of the body that both show.

    If they share no joint of the body, all points that they share count.

    Args:
        points, seen: [134, 2] in pixels and [134] bool.
        others, others_seen: [P, 134, 2] and [P, 134].

    Returns:
        [P] in pixels; infinite where nothing is shared.
    """
    shared = seen & others_seen
    shared[shared[:, BODY].any(axis=1), BODY.stop :] = False
    apart = np.where(shared, np.linalg.norm(others - points, axis=-1), 0).sum(axis=1)
    return np.where(shared.any(axis=1), apart / np.maximum(shared.sum(axis=1), 1), np.inf)


def assign_nearest(
    rows: np.ndarray,
    others: np.ndarray,
    apart: np.ndarray,
    ids: Sequence[int],
    found_ids: Sequence[int],
) -> dict[int, int]:
    """The nearest pairs first, each row and each found row once: row -> found row.

    Args:
        rows, others, apart: pairs that may belong together and their distances, [M] each.
        ids, found_ids: of the rows and of the found rows; of two equal distances the pair of one
            id comes first.
    """
    other_id = np.asarray(ids)[rows] != np.asarray(found_ids)[others] if len(rows) else rows
    assigned, taken = {}, set()
    for i in np.lexsort((others, rows, other_id, apart)).tolist():
        row, other = int(rows[i]), int(others[i])
        if row not in assigned and other not in taken:
            assigned[row] = other
            taken.add(other)
    return assigned
