"""Types that pass between the modules of this folder, and checks of their shapes.

Lines are [N, 2, 2]: two ends (x, y) in pixels.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ..canvas import SIDES, in_words, is_side
from ..errors import UserError
from ..ids import MAX_ID

MIN_SIDE = 64  # pixels; smaller frames give too few keypoints for a match


@dataclass(frozen=True, eq=False)
class LineSegments:
    """Line segments found in one frame, sorted by score, the best first.

    Attributes:
        lines: [N, 2, 2] float32 ends (x, y) in pixels, N >= 0. Seen from the first end towards
            the second end, the brighter side of every segment is on the same hand.
        scores: [N] float32, above 0; the best score is 1.
    """

    lines: torch.Tensor
    scores: torch.Tensor

    def __post_init__(self) -> None:
        check_lines("lines", self.lines)
        if self.scores.shape != self.lines.shape[:1]:
            raise ValueError(
                f"expected scores [{len(self.lines)}], one per line, got {list(self.scores.shape)}"
            )


@dataclass(frozen=True, eq=False)
class Wireframe:
    """Line segments of one frame, joined where their ends meet, and the frame's keypoints.

    Attributes:
        points: [M, 2] float32 (x, y) in pixels: the junctions, then the keypoints.
        scores: [M] float32, 0..1.
        descriptors: [D, M] float32; each column has length 1.
        lines: [N, 2, 2] float32 segments from junction to junction, N >= 0.
        line_points: [N, 2] int64, the index of each end in `points`.
        line_scores: [N] float32, 0..1.
        size: (height, width) of the frame, in pixels.
    """

    points: torch.Tensor
    scores: torch.Tensor
    descriptors: torch.Tensor
    lines: torch.Tensor
    line_points: torch.Tensor
    line_scores: torch.Tensor
    size: tuple[int, int]

    def __post_init__(self) -> None:
        check_points(self.points, self.scores)
        check_lines("lines", self.lines)
        if self.descriptors.ndim != 2 or self.descriptors.shape[1] != len(self.points):
            raise ValueError(
                f"expected descriptors [D, {len(self.points)}], one per point, "
                f"got {list(self.descriptors.shape)}"
            )
        if self.line_points.shape != (len(self.lines), 2):
            raise ValueError(
                f"expected line_points [{len(self.lines)}, 2], got {list(self.line_points.shape)}"
            )
        if self.line_scores.shape != self.lines.shape[:1]:
            raise ValueError(
                f"expected line_scores [{len(self.lines)}], got {list(self.line_scores.shape)}"
            )


@dataclass(frozen=True, eq=False)
class LineMatches:
    """The same segments in two keyframes: row i of `lines0` matches row i of `lines1`.

    Attributes:
        lines0, lines1: [N, 2, 2] float32 ends (x, y) in pixels, N >= 0. The two ends of a segment
            may be swapped in `lines1`, see `paired_ends`.
        size: (height, width) of both keyframes, in pixels.
        scores: [N] float32 in 0..1, the confidence of each match. The default is 1 for all.
        ids: [N] int64 in 0..MAX_ID, a different number for each match. A match keeps its id when
            other matches are removed. The default is 0, 1, ..., N - 1.
        num_matched: number of lines that matched before any match was removed, at least 1. With
            the ids it decides the colours; see `match_colors`. The default is `count_ids`.
        found: number of segments that were found in each keyframe; None: it is not known.
        notes: what a file holds beside the matches, by key. It is written with the matches.
        line_notes: what a file holds of a match beside its lines, score and id: by id, by key.
        kept_ends: [N] bool, whether the user says that the two ends of a match correspond in their
            order. The default is False for all: the ends are paired by the shortest way.
    """

    lines0: torch.Tensor
    lines1: torch.Tensor
    size: tuple[int, int]
    scores: torch.Tensor | None = None
    ids: torch.Tensor | None = None
    num_matched: int | None = None
    found: tuple[int, int] | None = None
    notes: dict[str, Any] = field(default_factory=dict)
    line_notes: dict[int, dict[str, Any]] = field(default_factory=dict)
    kept_ends: torch.Tensor | None = None

    def __post_init__(self) -> None:
        check_lines("lines0", self.lines0)
        check_lines("lines1", self.lines1)
        if len(self.lines0) != len(self.lines1):
            raise ValueError(
                "expected the same number of lines in both keyframes, "
                f"got {len(self.lines0)} and {len(self.lines1)}"
            )
        if len(self.size) != 2 or not all(map(is_side, self.size)):
            raise ValueError(
                f"expected a size (height, width) in pixels, {SIDES}, got {self.size!r}"
            )
        if self.scores is None:
            object.__setattr__(self, "scores", self.lines0.new_ones(len(self.lines0)))
        if self.scores.shape != self.lines0.shape[:1]:
            raise ValueError(
                f"expected scores [{len(self.lines0)}], one per match, "
                f"got {list(self.scores.shape)}"
            )
        if self.ids is None:
            object.__setattr__(self, "ids", torch.arange(len(self.lines0)))
        check_ids(self.ids, len(self.lines0))
        if self.num_matched is None:
            object.__setattr__(self, "num_matched", count_ids(self.ids))
        if self.num_matched < 1:
            raise ValueError(f"expected num_matched of at least 1, got {self.num_matched}")
        if self.kept_ends is None:
            none = torch.zeros_like(self.ids, dtype=torch.bool)
            object.__setattr__(self, "kept_ends", none)
        if self.kept_ends.shape != self.ids.shape or self.kept_ends.dtype != torch.bool:
            raise ValueError(
                f"expected kept_ends [{len(self.ids)}] bool, one per match, "
                f"got {list(self.kept_ends.shape)} {self.kept_ends.dtype}"
            )


def check_frame_size(frame: np.ndarray) -> None:
    """Raise UserError if a frame [H, W, ...] is too small to find lines in it."""
    if min(frame.shape[:2]) < MIN_SIDE:
        raise UserError(
            f"the frame is {in_words(frame.shape[:2])} pixels (width x height); lines can "
            f"be matched in frames of at least {MIN_SIDE} pixels a side: use larger frames."
        )


def check_lines(name: str, lines: torch.Tensor) -> None:
    """Raise ValueError unless the lines are [N, 2, 2]."""
    if lines.ndim != 3 or lines.shape[1:] != (2, 2):
        raise ValueError(f"expected {name} [N, 2, 2], got {list(lines.shape)}")


def check_points(points: torch.Tensor, scores: torch.Tensor) -> None:
    """Raise ValueError unless the points are [M, 2] and the scores are [M]."""
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"expected points [M, 2], got {list(points.shape)}")
    if scores.shape != points.shape[:1]:
        raise ValueError(
            f"expected scores [{len(points)}], one per point, got {list(scores.shape)}"
        )


def check_ids(ids: torch.Tensor, count: int) -> None:
    """Raise ValueError unless the ids are [count] int64, different, and in 0..MAX_ID."""
    if ids.shape != (count,) or ids.dtype != torch.int64:
        raise ValueError(
            f"expected ids [{count}] int64, one per match, got {list(ids.shape)} {ids.dtype}"
        )
    values, counts = ids.unique(return_counts=True)
    if (counts > 1).any():
        raise ValueError(f"several matches have the id {int(values[counts > 1][0])}")
    if count and not (values[0] >= 0 and values[-1] <= MAX_ID):
        raise ValueError(
            f"expected ids from 0 to {MAX_ID}, got {int(values[0])}..{int(values[-1])}"
        )


def count_ids(ids: torch.Tensor) -> int:
    """The smallest number of lines that can have had these ids, at least 1: the largest id + 1."""
    return int(ids.max()) + 1 if len(ids) else 1
