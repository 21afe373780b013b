"""Two frames -> line matches without any network weights: SIFT, homographies, optical flow.

Every motion between the frames (see `motion`) carries the segments of the first keyframe into
the second keyframe. Two segments match if the carried segment lies on the other, runs in the
same direction and has similar surroundings. The match is cut to the part that both keyframes
show.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ..frames import to_gray
from .lsd import MAX_LINES, MIN_LENGTH, detect_lines
from .motion import Motion, find_motions, sample
from .types import LineMatches, check_frame_size

STEPS = 17  # points carried per segment, because a homography does not keep proportions
MAX_TURN = np.radians(10.0)  # largest angle between a carried segment and its partner
MAX_OFFSET = 4.0  # pixels; largest sideways distance of a carried segment from its partner
MIN_SHARED = 0.3  # smallest shared part, as a fraction of the shorter segment
MIN_LIKENESS = 0.6  # smallest correlation of the two neighbourhoods
MAX_OVERLAP = 0.2  # largest fraction of a match that better matches may already cover
ALONG, ACROSS = 24, 9  # samples of a neighbourhood, along a segment and across it
REACH = 8.0  # pixels to either side of a segment


@dataclass(frozen=True, eq=False)
class Pairs:
    """Possible matches of segments of two frames, with the part that both segments show.

    Attributes:
        i, j: [M] index of the segment in the first and in the second frame.
        span0, span1: [M, 2] start and end of the shared part on each segment, 0..1.
        score: [M] 0..1, higher is better.
    """

    i: np.ndarray
    j: np.ndarray
    span0: np.ndarray
    span1: np.ndarray
    score: np.ndarray


class ClassicLineMatcher:
    """Matches the line segments of two frames; the same frames always give the same matches.

    Args:
        max_lines: maximum number of segments per frame.
        min_length: shortest segment and shortest matched part, in pixels.

    Source: made for this project, for users who do not have GlueStick's weights or may not use
        them.
    """

    def __init__(self, *, max_lines: int = MAX_LINES, min_length: float = MIN_LENGTH) -> None:
        self.max_lines = max_lines
        self.min_length = min_length

    def __call__(self, frame0: np.ndarray, frame1: np.ndarray) -> LineMatches:
        """Matched segments of two frames, the most certain match first.

        Both lines of a match show the same part of the scene, and their ends have the same order.

        Args:
            frame0, frame1: [H, W, 3] uint8 of one size, at least 64 pixels a side.

        Returns:
            N >= 0 matches; N = 0 if a frame is blank.

        Raises:
            ValueError: the sizes differ.
            UserError: a side is too short.
        """
        check_frame_pair(frame0, frame1)
        gray0, gray1 = to_gray(frame0), to_gray(frame1)
        lines0, lines1 = self.find_lines(gray0), self.find_lines(gray1)
        candidates = []
        if len(lines0) and len(lines1):
            for motion in find_motions(gray0, gray1):
                candidates.append(self.pair_lines(lines0, lines1, motion, gray0, gray1))
        cut0, cut1 = choose_pairs(candidates, lines0, lines1)
        return LineMatches(
            lines0=torch.from_numpy(cut0).float(),
            lines1=torch.from_numpy(cut1).float(),
            size=gray0.shape,
            found=(len(lines0), len(lines1)),
        )

    def find_lines(self, gray: np.ndarray) -> np.ndarray:
        """Segments of a grey frame [H, W] uint8: [N, 2, 2] float64, in pixels."""
        segments = detect_lines(gray, max_lines=self.max_lines, min_length=self.min_length)
        return segments.lines.double().numpy()

    def pair_lines(
        self,
        lines0: np.ndarray,
        lines1: np.ndarray,
        motion: Motion,
        gray0: np.ndarray,
        gray1: np.ndarray,
    ) -> Pairs:
        """Pairs of segments that lie on each other after a motion and look alike there."""
        parts = np.linspace(0, 1, STEPS)
        path = points_on(lines0, parts)  # [N0, STEPS, 2]
        carried = motion.carry(path)
        usable = motion.holds(path).mean(axis=1) > 0.5
        i, j = close_pairs(carried, lines1, usable)
        span0, span1, offset = shared_spans(carried[i], lines1[j])
        part0, part1 = cut(lines0[i], span0), cut(lines1[j], span1)
        shared = np.minimum(length(part0), length(part1))
        # [M] the shared part as a fraction of the shorter segment
        share = shared / np.minimum(length(lines0[i]), length(lines1[j]))
        near = (offset <= MAX_OFFSET) & (shared >= self.min_length) & (share >= MIN_SHARED)
        alike = np.zeros(len(i))
        alike[near] = likeness(gray0, part0[near], gray1, part1[near])
        score = motion.trust * alike * share.clip(0, 1) * (1 - 0.5 * offset / MAX_OFFSET)
        kept = alike >= MIN_LIKENESS
        return Pairs(*(column[kept] for column in (i, j, span0, span1, score)))


def check_frame_pair(frame0: np.ndarray, frame1: np.ndarray) -> None:
    """Raise ValueError if the sizes of two frames differ, UserError if the frames are too small."""
    if frame0.shape != frame1.shape:
        raise ValueError(
            f"expected two frames of one size, got {list(frame0.shape)} and {list(frame1.shape)}"
        )
    check_frame_size(frame0)


def close_pairs(
    carried: np.ndarray, lines1: np.ndarray, usable: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of carried segments [N0, STEPS, 2] and of segments [N1, 2, 2] that may match.

    `usable` [N0] says which carried segments may be used.
    """
    turn = angle(carried[:, -1] - carried[:, 0])[:, None] - angle(lines1[:, 1] - lines1[:, 0])
    # Modulo a full turn, not half a turn: the bright side must be on the same hand.
    turn = np.abs((turn + np.pi) % (2 * np.pi) - np.pi)
    middle, half = carried[:, STEPS // 2], length(carried[:, [0, -1]]) / 2
    apart = np.linalg.norm(middle[:, None] - lines1.mean(axis=1), axis=-1)
    near = apart <= half[:, None] + length(lines1) / 2 + MAX_OFFSET
    return np.nonzero((turn <= MAX_TURN) & near & usable[:, None])


def shared_spans(
    carried: np.ndarray, lines1: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shared part of each pair on both segments, two [M, 2], and its largest offset [M].

    The parts are 0..1 along a segment; the offset is in pixels.
    """
    along = lines1[:, 1] - lines1[:, 0]
    size = length(lines1)[:, None]
    off = carried - lines1[:, :1]
    place = (off * along[:, None]).sum(axis=-1) / size**2  # [M, STEPS], 0..1 on the partner
    place = np.maximum.accumulate(place, axis=1)
    aside = np.abs(off[..., 0] * along[:, 1:] - off[..., 1] * along[:, :1]) / size
    parts = np.linspace(0, 1, place.shape[1])
    span1 = np.stack([place[:, 0].clip(0, 1), place[:, -1].clip(0, 1)], axis=-1)
    span0 = np.array([np.interp(s, p, parts) for s, p in zip(span1, place, strict=True)]).reshape(
        -1, 2
    )
    inside = (parts >= span0[:, :1] - 0.5 / STEPS) & (parts <= span0[:, 1:] + 0.5 / STEPS)
    return span0, span1, np.where(inside, aside, 0).max(axis=1, initial=0)


def likeness(
    gray0: np.ndarray, lines0: np.ndarray, gray1: np.ndarray, lines1: np.ndarray
) -> np.ndarray:
    """Correlation of the neighbourhoods of paired segments: two [M, 2, 2] -> [M], -1..1."""
    scale = length(lines1) / np.maximum(length(lines0), 1e-6)
    patch0 = neighbourhood(gray0, lines0, np.full(len(lines0), REACH))
    patch1 = neighbourhood(gray1, lines1, REACH * scale)
    return (patch0 * patch1).sum(axis=-1)


def neighbourhood(gray: np.ndarray, lines: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Grey values around segments, with mean 0 and length 1: [M, ALONG * ACROSS]."""
    soft = cv2.GaussianBlur(gray, (0, 0), 1.0)
    path = points_on(lines, (np.arange(ALONG) + 0.5) / ALONG)  # [M, ALONG, 2]
    along = (lines[:, 1] - lines[:, 0]) / np.maximum(length(lines), 1e-6)[:, None]
    aside = np.stack([-along[:, 1], along[:, 0]], axis=-1) * reach[:, None]
    steps = np.linspace(-1, 1, ACROSS)[:, None]
    points = path[:, :, None] + aside[:, None, None] * steps  # [M, ALONG, ACROSS, 2]
    values = sample(soft, points).reshape(len(lines), ALONG * ACROSS)
    values = values - values.mean(axis=1, keepdims=True)
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6)


def choose_pairs(
    candidates: list[Pairs], lines0: np.ndarray, lines1: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The best pairs, so that no part of a segment is used twice: two [N, 2, 2]."""
    used0: dict[int, list] = {}  # segment -> spans in matches chosen so far
    used1: dict[int, list] = {}
    cut0, cut1 = [], []
    ranked = [(-s, m, k) for m, pairs in enumerate(candidates) for k, s in enumerate(pairs.score)]
    for _, m, k in sorted(ranked):
        pairs = candidates[m]
        spans0 = used0.setdefault(int(pairs.i[k]), [])
        spans1 = used1.setdefault(int(pairs.j[k]), [])
        if is_used(spans0, pairs.span0[k]) or is_used(spans1, pairs.span1[k]):
            continue
        spans0.append(pairs.span0[k])
        spans1.append(pairs.span1[k])
        cut0.append(cut(lines0[pairs.i[k]], pairs.span0[k]))
        cut1.append(cut(lines1[pairs.j[k]], pairs.span1[k]))
    return np.reshape(cut0, (-1, 2, 2)), np.reshape(cut1, (-1, 2, 2))


def is_used(spans: list[np.ndarray], span: np.ndarray) -> bool:
    """Whether one of `spans` covers more than MAX_OVERLAP of `span`."""
    limit = MAX_OVERLAP * (span[1] - span[0])
    return any(min(span[1], other[1]) - max(span[0], other[0]) > limit for other in spans)


def points_on(lines: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Points at parts 0..1 of the way along segments: [M, 2, 2], [K] -> [M, K, 2]."""
    return lines[:, :1] + (lines[:, 1:] - lines[:, :1]) * parts[:, None]


def cut(lines: np.ndarray, span: np.ndarray) -> np.ndarray:
    """The part of each segment inside a span 0..1: [..., 2, 2], [..., 2] -> [..., 2, 2]."""
    return lines[..., :1, :] + (lines[..., 1:, :] - lines[..., :1, :]) * span[..., None]


def length(lines: np.ndarray) -> np.ndarray:
    """Pixels from end to end: [..., 2, 2] -> [...]."""
    return np.linalg.norm(lines[..., 1, :] - lines[..., 0, :], axis=-1)


def angle(vector: np.ndarray) -> np.ndarray:
    """Direction of vectors in radians: [..., 2] -> [...]."""
    return np.arctan2(vector[..., 1], vector[..., 0])
