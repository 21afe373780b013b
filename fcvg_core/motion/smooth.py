"""Values at several keyframes -> their values in every frame, without jumps of their speed."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor


def smooth_ways(values: Tensor, moves: Tensor, at: Sequence[int], progress: Tensor) -> Tensor:
    """Values in every frame: a monotone cubic through all keyframes that follow one another.

    Between two keyframes a value never leaves the range of its values there, and at a keyframe it
    is exact. Where it moves in one span alone, its way is straight.

    Args:
        values: [K, N, ...] at the keyframes.
        moves: [K - 1, N] bool, the spans in which each value is known at both ends. Values that
            are not finite count as not known.
        at: frames of the keyframes.
        progress: [T] of the motion over the whole video, rising from keyframe to keyframe, see
            `whole_times`.

    Returns:
        [T, N, ...] float64; NaN where a value does not move.

    Source: Fritsch and Butland (SIAM J. Sci. Stat. Comput. 5, 1984), as scipy has it.
    """
    from scipy.interpolate import PchipInterpolator  # its import takes long

    at = list(at)
    known = values.isfinite().flatten(2).all(-1) if values.ndim > 2 else values.isfinite()
    patterns, which = (moves & known[:-1] & known[1:]).unique(dim=1, return_inverse=True)
    found = values.double().numpy()
    out = np.full((len(progress), *values.shape[1:]), np.nan)
    marks, times = progress[at].numpy(), progress.numpy()
    for number, pattern in enumerate(patterns.T.tolist()):
        columns = (which == number).numpy()
        for begin, end in _runs(pattern):
            frames = np.arange(at[begin], at[end] + 1)
            keys = found[begin : end + 1][:, columns]
            way = PchipInterpolator(marks[begin : end + 1], keys, axis=0)(times[frames])
            way[times[frames] == marks[end]] = keys[-1]  # the cubic's end is rounded
            out[np.ix_(frames, columns)] = way
    return torch.from_numpy(out)


def _runs(moving: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """The first and the last keyframe of all spans that follow one another and move."""
    for is_moving, run in itertools.groupby(range(len(moving)), key=moving.__getitem__):
        spans = list(run)
        if is_moving:
            yield spans[0], spans[-1] + 1
