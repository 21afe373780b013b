"""Who is who from frame to frame of a video."""

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from .skeleton import BODY, MIN_SCORE, NUM_POINTS
from .types import Poses, stack_frames

MAX_STEP = 0.5  # how far somebody comes in one frame, in lengths of their own
SMALLEST = 0.05  # length of somebody of whom only a joint or two are seen, in 0..1


def stack_padded(frames: list[Poses]) -> Poses:
    """Frames of however many people each as one video: T of [P, ...] -> [T, most of them, ...].

    Those added to a frame have scores of 0, so nothing of them is drawn.

    Raises:
        ValueError: there is no frame.
    """
    most = max((frame.num_people for frame in frames), default=0)
    return stack_frames([_pad(frame, most - frame.num_people) for frame in frames])


def follow_person(frames: list[Poses]) -> Poses:
    """The one person who stays in a video longest; everybody else is left out.

    People are linked from frame to frame where the joints of their bodies are nearest, also across
    frames in which they were not found. Of all, the one with most joints seen in all frames
    together is taken, and the larger one of two with as many.

    Args:
        frames: T of [P, ...], P may differ.

    Returns:
        [T, 1, ...]; scores of 0 in frames without that person.

    Raises:
        ValueError: there is no frame, or one is a video itself.
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
    """A frame with people added of whom nothing was found."""
    points = frame.keypoints.new_zeros(count, NUM_POINTS, 2)
    scores = frame.scores.new_zeros(count, NUM_POINTS)
    return Poses(
        torch.cat([frame.keypoints, points]),
        torch.cat([frame.scores, scores]),
        torch.cat([frame.brightness, frame.brightness.new_ones(count)]),
    )


@dataclass
class _Track:
    """Somebody, from frame to frame."""

    points: np.ndarray = field(default_factory=lambda: np.zeros((18, 2)))  # where last seen
    known: np.ndarray = field(default_factory=lambda: np.zeros(18, bool))  # seen ever
    people: dict[int, list[int]] = field(default_factory=dict)  # frame -> [number among people]
    num_seen: int = 0  # joints, in all frames together
    length: float = 0.0  # in all frames together

    def add(self, frame: int, person: int, points: np.ndarray, seen: np.ndarray) -> None:
        """Note a person [18, 2] of a frame as this one."""
        self.points = np.where(seen[:, None], points, self.points)
        self.known = self.known | seen
        self.people[frame] = [person]
        self.num_seen += int(seen.sum())
        self.length += float(np.ptp(points[seen], axis=0).max())

    def distance(self, frame: int, points: np.ndarray, seen: np.ndarray) -> float:
        """Mean way of the joints known of both, as a share of the way they could have come."""
        both = self.known & seen
        if not both.any():
            return math.inf
        length = max(np.ptp(self.points[self.known], axis=0).max(), SMALLEST)
        way = np.linalg.norm(points[both] - self.points[both], axis=1).mean()
        return float(way / (MAX_STEP * length * (frame - max(self.people))))


def _extend(tracks: list[_Track], frame: int, points: np.ndarray, seen: np.ndarray) -> None:
    """Give everybody of a frame, [P, 18, 2] and [P, 18], to a track; to a new one at need."""
    people = [i for i in range(len(points)) if seen[i].any()]
    ways = [[track.distance(frame, points[i], seen[i]) for i in people] for track in tracks]
    ways = np.array(ways).reshape(len(tracks), len(people))
    costs = np.where(ways <= 1, ways, len(people) + 1.0)  # links first, then short ones
    linked = {j: i for i, j in zip(*linear_sum_assignment(costs), strict=True) if ways[i, j] <= 1}
    for j, person in enumerate(people):
        if j not in linked:
            linked[j] = len(tracks)
            tracks.append(_Track())
        tracks[linked[j]].add(frame, person, points[person], seen[person])
