"""All that moves between keyframes -> where it is in every frame of the video."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..paths import PATH_COLORS, path_strokes
from ..pose import Poses, interpolate_poses, is_seen
from ..pose.skeleton import NUM_POINTS
from .chain import PersonChain, chain_lines, chain_people
from .holding import held_joints, held_lines, hold_still
from .keyframes import span_times, whole_times
from .smooth import smooth_ways
from .tracks import lines_at, move_points, people_at
from .types import Motion, Span

STROKE = 16.0  # pixels, the length of the stroke that shows a path


@dataclass(frozen=True, eq=False)
class LineTrack:
    """Moving lines.

    Attributes:
        lines: [T, N, 2, 2] ends (x, y) in pixels, NaN in frames that do not show the line.
        ids: [N] int64, all different; with `num_matched` they decide the colours.
        num_matched: see `LineMatches`.
    """

    lines: Tensor
    ids: Tensor
    num_matched: int

    @property
    def seen(self) -> Tensor:
        """[T, N] bool, the frames that show each line."""
        return self.lines.isfinite().flatten(2).all(-1)


@dataclass(frozen=True, eq=False)
class MotionTrack:
    """Everything that moves, in every frame.

    Attributes:
        size: (height, width) of the frames, in pixels.
        lines: None if no lines are known.
        people: Poses [T, P, ...]; None if no people are known.
        paths: the strokes of paths; None if there are no paths.
    """

    size: tuple[int, int]
    lines: LineTrack | None
    people: Poses | None
    paths: LineTrack | None


def track_motion(
    motion: Motion,
    at: Sequence[int],
    timing: str | Sequence[float],
    *,
    missing_joints: str,
    missing_people: str,
) -> MotionTrack:
    """Where lines, people and paths are in every frame.

    Between two keyframes they move as `lines_at` and `people_at` say. With more keyframes each
    end of a line and each joint moves along a monotone cubic through all keyframes that have it,
    so its speed does not jump at a keyframe; a line is seen only between keyframes that both have
    it. Where the camera moves, the cubic goes through the places that the camera's move leaves.

    Args:
        at: frames of the keyframes, as `check_keyframes` returns them.
        timing: over the whole video, see `whole_times`.
        missing_joints, missing_people: see `interpolate_poses`.

    Raises:
        UserError: the timing is not valid, or it does not rise from keyframe to keyframe.
        ValueError: the motion has another number of keyframes than `at`.
    """
    if motion.num_keyframes != len(at):
        raise ValueError(f"expected {motion.num_keyframes} keyframes, got {len(at)}")
    choices = {"missing_joints": missing_joints, "missing_people": missing_people}
    paths = _track_strokes(motion, at, timing)
    if len(at) == 2:
        return _track_span(motion, whole_times(at, timing), paths, choices)
    spans = [hold_still(span, motion.size) for span in motion.spans]
    world = _World(spans, motion.size, at, timing)
    lines = people = None
    if any(span.matches is not None for span in spans):
        lines = _track_lines(spans, world)
    if any(span.people is not None for span in spans):
        people = _track_people(spans, world, choices)
    return MotionTrack(motion.size, lines, people, paths)


def _track_span(
    motion: Motion, times: Tensor, paths: LineTrack | None, choices: dict[str, str]
) -> MotionTrack:
    """The motion between two keyframes."""
    (span,), lines, people = motion.spans, None, None
    if span.matches is not None:
        found = span.matches
        lines = LineTrack(lines_at(span, times), found.ids, found.num_matched)
    if span.people is not None:
        people = people_at(span, times, motion.size, **choices)
    return MotionTrack(motion.size, lines, people, paths)


class _World:
    """The places that the camera's move leaves: where things of the first keyframe stand still.

    Attributes:
        at: frames of the keyframes.
        progress: [T] of the whole motion.
        parts: for each span the frames that it has, and the progress inside the span.
    """

    def __init__(
        self,
        spans: Sequence[Span],
        size: tuple[int, int],
        at: Sequence[int],
        timing: str | Sequence[float],
    ):
        self.at, self.size = list(at), size
        self.progress = whole_times(at, timing)
        frames = (slice(begin, end + 1) for begin, end in itertools.pairwise(at))
        self.parts = list(zip(frames, span_times(at, timing), strict=True))
        self._moves: Tensor | None = None  # [T, 3, 3] pixels of the first keyframe -> of the frame
        if any(span.camera is not None for span in spans):
            self._moves = torch.eye(3, dtype=torch.float64).repeat(at[-1] + 1, 1, 1)
            for span, (part, times) in zip(spans, self.parts, strict=True):
                before = self._moves[part.start].clone()
                self._moves[part] = before
                if span.camera is not None:
                    self._moves[part] = span.camera.at(times, size) @ before

    def enter(self, points: Tensor, frame: int) -> Tensor:
        """Points [..., 2] of a frame, in pixels -> their places."""
        if self._moves is None:
            return points
        return move_points(torch.linalg.inv(self._moves[frame]), points)

    def leave(self, places: Tensor) -> Tensor:
        """Places [T, ..., 2] -> points of every frame, in pixels."""
        if self._moves is None:
            return places
        return move_points(self._moves.reshape(-1, *(1,) * (places.ndim - 2), 3, 3), places)


def _track_lines(spans: Sequence[Span], world: _World) -> LineTrack:
    chain = chain_lines(spans, world.size)
    places = [world.enter(x, frame) for x, frame in zip(chain.places, world.at, strict=True)]
    lines = world.leave(smooth_ways(torch.stack(places), chain.moves, world.at, world.progress))
    for number, (span, (part, _)) in enumerate(zip(spans, world.parts, strict=True)):
        if span.camera is not None:  # which what is held does not follow
            begin = chain.places[number]
            held = held_lines(span.holds, begin) & chain.moves[number]
            lines[part, held] = begin[held].double()
    return LineTrack(lines.to(chain.places), chain.ids, chain.num_matched)


def _track_people(spans: Sequence[Span], world: _World, choices: dict[str, str]) -> Poses:
    """People [T, P, ...]; first those whom no two keyframes show, so that they are drawn below."""
    chain = chain_people(spans, world.size)
    ends = [
        tuple(_entered(poses, world, frame) for poses, frame in zip(both, pair, strict=True))
        for both, pair in zip(chain.people, itertools.pairwise(world.at), strict=True)
    ]
    ways = _ways_of_people(chain, ends, world)
    frames, count = len(world.progress), chain.num_rows
    keypoints = torch.zeros(frames, count, NUM_POINTS, 2, dtype=torch.float64)
    scores = torch.zeros(frames, count, NUM_POINTS, dtype=torch.float64)
    brightness = torch.zeros(frames, count, dtype=torch.float64)
    for both, pairs, (first, last), (part, times) in zip(
        ends, chain.pairs, chain.rows, world.parts, strict=True
    ):
        moving = first[pairs[:, 0]]
        bent = Poses(ways[part][:, moving, :, :2], ways[part][:, moving, :, 2])
        track = interpolate_poses(*both, times, **choices, pairs=pairs, ways=bent)
        alone = [_without(first, pairs[:, 0]), _without(last, pairs[:, 1])]
        rows = torch.cat([*(alone if track.num_people > len(moving) else ()), moving])
        keypoints[part, rows], scores[part, rows] = track.keypoints, track.scores
        brightness[part, rows] = track.brightness
    pixels = torch.tensor(world.size[::-1], dtype=torch.float64)
    paired = torch.zeros(count, dtype=torch.bool)
    for pairs, (first, _) in zip(chain.pairs, chain.rows, strict=True):
        paired[first[pairs[:, 0]]] = True
    people = Poses(world.leave(keypoints * pixels) / pixels, scores, brightness)
    for span, (part, _) in zip(spans, world.parts, strict=True):
        if span.camera is not None:  # which what is held does not follow
            begin = people.frame(part.start)
            held = held_joints(span.holds, begin, world.size)
            people.keypoints[part, held] = begin.keypoints[held]
    return people.people(paired.int().argsort(stable=True))


def _entered(poses: Poses, world: _World, frame: int) -> Poses:
    """People [P, ...] of a frame, at their places."""
    pixels = torch.tensor(world.size[::-1], dtype=torch.float64)
    places = world.enter(poses.keypoints * pixels, frame) / pixels
    return replace(poses, keypoints=places)


def _ways_of_people(
    chain: PersonChain, ends: Sequence[tuple[Poses, Poses]], world: _World
) -> Tensor:
    """[T, rows, 134, 3]: x, y and score of points that two keyframes show, NaN elsewhere."""
    values = torch.full(
        (len(world.at), chain.num_rows, NUM_POINTS, 3), torch.nan, dtype=torch.float64
    )
    moves = torch.zeros(len(ends), chain.num_rows, NUM_POINTS, dtype=torch.bool)
    for number, (both, pairs, rows) in enumerate(zip(ends, chain.pairs, chain.rows, strict=True)):
        for poses, row, keyframe in zip(both, rows, (number, number + 1), strict=True):
            values[keyframe, row] = torch.cat([poses.keypoints, poses.scores[..., None]], dim=-1)
        seen = [is_seen(poses)[pair] for poses, pair in zip(both, pairs.T, strict=True)]
        moves[number, rows[0][pairs[:, 0]]] = seen[0] & seen[1]
    ways = smooth_ways(values.flatten(1, 2), moves.flatten(1), world.at, world.progress)
    return ways.unflatten(1, (chain.num_rows, NUM_POINTS))


def _without(rows: Tensor, paired: Tensor) -> Tensor:
    """The rows at all places but these."""
    alone = torch.ones(len(rows), dtype=torch.bool)
    alone[paired] = False
    return rows[alone]


def _track_strokes(
    motion: Motion, at: Sequence[int], timing: str | Sequence[float]
) -> LineTrack | None:
    """The strokes of all paths; the paths of one id are one row, in whatever spans they are."""
    spans = [hold_still(span, motion.size).paths for span in motion.spans]
    ids = sorted({path.id for paths in spans for path in paths})
    if not ids:
        return None
    lines = torch.full((at[-1] + 1, len(ids), 2, 2), torch.nan, dtype=torch.float64)
    for paths, begin, times in zip(spans, at, span_times(at, timing), strict=False):
        rows = [ids.index(path.id) for path in paths]
        lines[begin : begin + len(times), rows] = path_strokes(paths, times, STROKE)
    return LineTrack(lines, torch.tensor(ids), PATH_COLORS)
