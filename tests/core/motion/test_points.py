"""What moves, as points."""

import torch

from fcvg_core.choices import MOVING
from fcvg_core.lines import LineMatches
from fcvg_core.motion import Motion, Span, track_motion, track_points
from fcvg_core.paths import Path
from fcvg_core.pose import Poses

SIZE = (100, 200)
CHOICES = {"missing_joints": "hide", "missing_people": "drop"}


def person(x: float) -> Poses:
    """Somebody who shows one joint of the body and one of the face."""
    keypoints, scores = torch.full((1, 134, 2), 0.5), torch.zeros(1, 134)
    keypoints[..., 0], scores[0, 1], scores[0, 30] = x, 1, 1
    return Poses(keypoints, scores)


def lines(*rows: list) -> LineMatches:
    first, last = (torch.tensor(x).float() for x in zip(*rows, strict=True))
    return LineMatches(first, last, SIZE)


LINE = ([[10, 10], [30, 10]], [[10, 50], [30, 50]])
SPAN = Span(
    matches=lines(LINE),
    people=(person(0.25), person(0.75)),
    paths=(Path(4, torch.tensor([[0, 0], [10, 0], [20, 0], [30, 0]])),),
)


def test_by_hand() -> None:
    track = track_motion(Motion(SIZE, (SPAN,)), (0, 2), "uniform", **CHOICES)
    points, seen = track_points(track, MOVING)
    assert points.dtype == torch.float64 and seen.all()
    assert points[1].tolist() == [[10, 30], [30, 30], [100, 50], [15, 0]]


def test_some_kinds() -> None:
    track = track_motion(Motion(SIZE, (SPAN,)), (0, 2), "uniform", **CHOICES)
    assert track_points(track, ["people"])[0][1].tolist() == [[100, 50]]
    assert track_points(track, [])[0].shape[1] == 0


def test_a_line_of_the_second_span_is_seen_in_it_alone() -> None:
    later = ([[100, 10], [150, 10]], [[100, 90], [150, 90]])
    both = (Span(matches=lines(LINE)), Span(matches=lines(later)))
    track = track_motion(Motion(SIZE, both), (0, 4, 8), "uniform", **CHOICES)
    points, seen = track_points(track, MOVING)
    assert seen[2].tolist() == [True, True, False, False]
    assert seen[6].tolist() == [False, False, True, True]
    assert points[2, 2:].tolist() == [[0, 0], [0, 0]]
