"""Line matches -> the line matches that meet the user's criteria; wrong matches are removed."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from torch import Tensor

from ..choices import FITS, KEEP, MASK_USES
from ..frames import fit_mask
from .track import paired_ends
from .types import LineMatches

MIN_ENDS = {"affine": 3, "homography": 4}  # number of points that a fit needs
MAX_TRIES, CONFIDENCE = 5000, 0.999  # settings of RANSAC


@dataclass(frozen=True, kw_only=True)
class MatchFilter:
    """Criteria that a match must meet to be kept.

    Attributes:
        min_score: smallest score of a match, 0..1.
        min_length: shortest segment in both keyframes, in pixels.
        max_motion: longest way of a segment's middle, as a fraction of the frame's diagonal.
        fit: kind of common motion that all matches should follow, one of FITS. RANSAC finds the
            motion.
        tolerance: largest distance between a segment's end and its place after the common
            motion, in pixels.
        mask: what happens to matches inside a mask, one of MASK_USES.
    """

    min_score: float = 0.0
    min_length: float = 0.0
    max_motion: float = 1.0
    fit: str = "none"
    tolerance: float = 20.0
    mask: str = MASK_USES[0]

    def __post_init__(self) -> None:
        for name, words in (("fit", FITS), ("mask", MASK_USES)):
            if getattr(self, name) not in words:
                raise ValueError(
                    f"expected a {name} of {', '.join(words)}, got {getattr(self, name)!r}"
                )


def filter_matches(
    matches: LineMatches,
    criteria: MatchFilter,
    mask0: Tensor | None = None,
    mask1: Tensor | None = None,
) -> LineMatches:
    """The matches that meet all criteria, in their original order. Points are removed too.

    Args:
        matches: N >= 0.
        criteria: what a match must meet to be kept.
        mask0, mask1: [H, W] of any size and type, for the first and for the last keyframe. A
            segment lies inside a mask if the mask is above 0.5 at the middle of the segment. A
            mask of other proportions than the keyframes is cropped as `fit_mask` does it. None:
            no match is removed because of this keyframe's mask.
    """
    matches = drop_points(matches)
    kept = matches.scores >= criteria.min_score
    kept &= _lengths(matches) >= criteria.min_length
    kept &= _motions(matches) <= criteria.max_motion
    for mask, lines in ((mask0, matches.lines0), (mask1, matches.lines1)):
        if mask is not None:
            kept &= _inside(lines, mask, matches.size) == (criteria.mask == KEEP)
    chosen = select_matches(matches, kept)
    return select_matches(chosen, _follows(chosen, criteria.fit, criteria.tolerance))


def select_matches(matches: LineMatches, kept: Tensor) -> LineMatches:
    """The matches for which `kept`, bool [N], is true; they keep their ids and colours."""
    return replace(
        matches,
        lines0=matches.lines0[kept],
        lines1=matches.lines1[kept],
        scores=matches.scores[kept],
        ids=matches.ids[kept],
        kept_ends=matches.kept_ends[kept],
    )


def drop_points(matches: LineMatches) -> LineMatches:
    """The matches that have a length in at least one keyframe; the others are points."""
    both = torch.stack([matches.lines0, matches.lines1])
    return select_matches(matches, (both[:, :, 0] != both[:, :, 1]).any(dim=2).any(dim=0))


def _lengths(matches: LineMatches) -> Tensor:
    """Length of the shorter segment of each match: [N] pixels."""
    both = torch.stack([matches.lines0, matches.lines1])
    return (both[:, :, 1] - both[:, :, 0]).norm(dim=-1).amin(0)


def _motions(matches: LineMatches) -> Tensor:
    """Distance that each segment's middle moves: [N] as a fraction of the diagonal."""
    diagonal = float(np.hypot(*matches.size))
    return (matches.lines1.mean(1) - matches.lines0.mean(1)).norm(dim=-1) / diagonal


def _inside(lines: Tensor, mask: Tensor, size: tuple[int, int]) -> Tensor:
    """Whether each segment's middle lies in a mask: [N]."""
    height, width = size
    mask = mask.cpu()
    if mask.shape[0] * width != mask.shape[1] * height:
        mask = torch.from_numpy(fit_mask(mask.float().numpy(), size))
    shape = torch.tensor(mask.shape[::-1])
    scale = shape / torch.tensor(size[::-1])
    at = (lines.mean(1) * scale).long().clamp(min=torch.zeros(2), max=shape - 1).long()
    return mask[at[:, 1], at[:, 0]] > 0.5


def _follows(matches: LineMatches, fit: str, tolerance: float) -> Tensor:
    """Whether both ends of each segment follow the motion that most segments share: [N].

    True for all segments if there are too few segments for a fit, or if RANSAC finds no motion.
    """
    everything = torch.ones(len(matches.lines0), dtype=torch.bool)
    if fit == "none" or 2 * len(everything) < MIN_ENDS[fit]:
        return everything
    start = matches.lines0.reshape(-1, 2).double().numpy()
    end = paired_ends(matches.lines0, matches.lines1, matches.kept_ends)
    end = end.reshape(-1, 2).double().numpy()
    motion = _fit(start, end, fit, tolerance)
    if motion is None:
        return everything
    moved = start @ motion[:, :2].T + motion[:, 2]
    error = np.linalg.norm(moved[:, :2] / moved[:, 2:] - end, axis=1)
    return torch.from_numpy((error <= tolerance).reshape(-1, 2).all(axis=1))


def _fit(start: np.ndarray, end: np.ndarray, fit: str, tolerance: float) -> np.ndarray | None:
    """Motion [3, 3] that most points follow, or None if there is none: two [M, 2] -> [3, 3]."""
    search = {"maxIters": MAX_TRIES, "confidence": CONFIDENCE}
    if fit == "homography":
        return cv2.findHomography(start, end, cv2.RANSAC, tolerance, **search)[0]
    matrix, _ = cv2.estimateAffine2D(
        start, end, method=cv2.RANSAC, ransacReprojThreshold=tolerance, **search
    )
    return None if matrix is None else np.vstack([matrix, [0, 0, 1]])
