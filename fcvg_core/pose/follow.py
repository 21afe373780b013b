"""Follows people from frame to frame of a video."""

import math
from dataclasses import dataclass, field

import numpy as np
import torch

from .skeleton import BODY, MIN_SCORE, NUM_POINTS
from .types import Poses, stack_frames

MAX_STEP = 0.5  # longest way of a person in one frame, as a fraction of the person's length
MIN_LENGTH = 0.05  # smallest length of a person, 0..1, used if only one or two joints are seen


def stack_padded(frames: list[Poses]) -> Poses:
    """One video from frames with different numbers of people: T of [P, ...] -> [T, max P, ...].

    Frames with fewer people are filled up with people whose scores are 0, who are not drawn.

    Raises:
        ValueError: `frames` is empty.
    """
    most = max((frame.num_people for frame in frames), default=0)
    return stack_frames([_pad(frame, most - frame.num_people) for frame in frames])


def follow_person(frames: list[Poses]) -> Poses:
    """The person who stays in a video longest; all other people are left out.

    People are linked from frame to frame so that their joints move least, also across frames in
    which they were not found. The track with the most visible joints wins; ties go to the larger
    person.

    Args:
        frames: T poses [P, ...]; P may differ from frame to frame.

    Returns:
        [T, 1, ...]; scores are 0 in frames without this person.

    Raises:
        ValueError: `frames` is empty, or an item is a whole video.
    """
    for number, frame in enumerate(frames):
        if frame.scores.ndim != 2:
            raise ValueError(
                f"expected scores [P, {NUM_POINTS}] in every frame, got "
                f"{list(frame.scores.shape)} in frame {number}"
            )
    tracks: list[_Track] = []
    for number, frame in enumerate(frames):
        points = frame.keypoints[:, BODY].detach().cpu().numpy()  # [P, 18, 2]
        seen = (frame.scores[:, BODY] > MIN_SCORE).cpu().numpy()
        _extend(tracks, number, points, seen)
    best = max(tracks, key=lambda track: (track.num_seen, track.length), default=_Track())
    chosen = [frame.people(best.people.get(i, [])) for i, frame in enumerate(frames)]
    return stack_frames([_pad(frame, 1 - frame.num_people) for frame in chosen])


def _pad(frame: Poses, count: int) -> Poses:
    """A frame with `count` people added, whose scores are 0."""
    points = frame.keypoints.new_zeros(count, NUM_POINTS, 2)
    scores = frame.scores.new_zeros(count, NUM_POINTS)
    return Poses(
        torch.cat([frame.keypoints, points]),
        torch.cat([frame.scores, scores]),
        torch.cat([frame.brightness, frame.brightness.new_ones(count)]),
    )


@dataclass
class _Track:
    """One person, followed from frame to frame."""

    points: np.ndarray = field(default_factory=lambda: np.zeros((18, 2)))  # last seen positions
    known: np.ndarray = field(default_factory=lambda: np.zeros(18, bool))  # seen in any frame
    people: dict[int, list[int]] = field(default_factory=dict)  # frame -> [person's index in it]
    num_seen: int = 0  # joints seen, summed over all frames
    length: float = 0.0  # length of the person, summed over all frames

    def add(self, frame: int, person: int, points: np.ndarray, seen: np.ndarray) -> None:
        """Add a person [18, 2] of a frame to this track."""
        self.points = np.where(seen[:, None], points, self.points)
        self.known = self.known | seen
        self.people[frame] = [person]
        self.num_seen += int(seen.sum())
        self.length += float(np.ptp(points[seen], axis=0).max())

    def distance(self, frame: int, points: np.ndarray, seen: np.ndarray) -> float:
        """Mean way of the joints known in both, as a fraction of the largest possible way."""
        both = self.known & seen
        if not both.any():
            return math.inf
        length = max(np.ptp(self.points[self.known], axis=0).max(), MIN_LENGTH)
        way = np.linalg.norm(points[both] - self.points[both], axis=1).mean()
        return float(way / (MAX_STEP * length * (frame - max(self.people))))


def _extend(tracks: list[_Track], frame: int, points: np.ndarray, seen: np.ndarray) -> None:
    """Add each person of a frame, [P, 18, 2] and [P, 18], to the nearest or a new track."""
    from scipy.optimize import linear_sum_assignment  # its import takes long

    people = [i for i in range(len(points)) if seen[i].any()]
    ways = [[track.distance(frame, points[i], seen[i]) for i in people] for track in tracks]
    ways = np.array(ways).reshape(len(tracks), len(people))
    costs = np.where(ways <= 1, ways, len(people) + 1.0)  # most links first, then shortest ways
    linked = {j: i for i, j in zip(*linear_sum_assignment(costs), strict=True) if ways[i, j] <= 1}
    for j, person in enumerate(people):
        if j not in linked:
            linked[j] = len(tracks)
            tracks.append(_Track())
        tracks[linked[j]].add(frame, person, points[person], seen[person])
