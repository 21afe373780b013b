"""Line matches -> the position of every matched segment in every frame."""

import torch

from .types import LineMatches


def interpolate_lines(matches: LineMatches, times: torch.Tensor) -> torch.Tensor:
    """Segments in every frame; their ends move straight from the first keyframe to the last.

    A segment has no direction, so its ends may be swapped in the last keyframe. The ends are
    paired so that their total path is the shortest, unless `matches.kept_ends` says otherwise.

    Args:
        matches: N >= 0 segments, in pixels.
        times: [T], 0 at the first keyframe and 1 at the last.

    Returns:
        [T, N, 2, 2] in the pixels of `matches`.

    Raises:
        ValueError: `times` is not one-dimensional.

    Source: FCVG (arXiv 2412.11755); Tian-one/FCVG utils/util.py interpolate_matches_linear.
    Differs: the ends keep the order of the first keyframe in the last frame, too.
    """
    if times.ndim != 1:
        raise ValueError(f"expected times [T], got {list(times.shape)}")
    start, end = matches.lines0, paired_ends(matches.lines0, matches.lines1, matches.kept_ends)
    times = times.to(start)[:, None, None, None]
    # Not torch.lerp: the official code rounds this way, and drawing truncates to whole pixels.
    return start + (end - start) * times


def paired_ends(start: torch.Tensor, end: torch.Tensor, kept_ends: torch.Tensor) -> torch.Tensor:
    """`end`, each segment's ends in the order of `start`: two [N, 2, 2] -> [N, 2, 2].

    Args:
        kept_ends: [N] bool, the segments whose ends are in the order of `start` as they are.
    """
    keep = in_order(start, end, kept_ends)
    return torch.where(keep[:, None, None], end, end.flip(1))


def in_order(start: torch.Tensor, end: torch.Tensor, kept_ends: torch.Tensor) -> torch.Tensor:
    """Whether each segment's ends in `end` are in the order of `start`: see `paired_ends`; [N]."""
    # As in the official code, the ends are swapped if both paths are equally long.
    return (path_length(start, end) < path_length(start, end.flip(1))) | kept_ends


def path_length(start: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
    """Path of a segment's two ends together, in pixels: two [N, 2, 2] -> [N]."""
    return (end - start).norm(dim=-1).sum(dim=-1)
