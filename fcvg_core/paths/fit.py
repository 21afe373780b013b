"""Sampled points -> few Bezier curves that pass near them."""

import numpy as np
import torch
from torch import Tensor

from .track import STEPS, curve_weights, sample_curves, straight_curves

ROUNDS = 16  # of moving the samples along a curve and fitting the curve again


def fit_curves(samples: Tensor, max_error: float) -> tuple[Tensor, Tensor]:
    """Bezier curves near samples of a way, and the length of the way behind each sample.

    The way is that of `path_points`, straight pieces between points on the curves. A run of
    samples gets one curve by least squares; if the curve is too far from a sample, the run is cut
    into halves. Two samples get a straight line. So the error has a limit, and the number of
    curves has none.

    Args:
        samples: [N, 2] float64 (x, y) in pixels, N >= 1; neighbours are not equal.
        max_error: the farthest that the way may be from a sample, in pixels. 0: straight lines
            join the samples.

    Returns:
        points [3 * n + 1, 2] of n curves, n < N, and lengths [N] in pixels.

    Source: P. J. Schneider, An Algorithm for Automatically Fitting Digitized Curves (Graphics
        Gems, 1990).
    Differs: the handles are free, so that curves may meet at a small angle. Runs are cut in their
        middle, which gave fewer curves here than cuts at the worst sample.
    """
    if max_error == 0 or len(samples) == 1:
        steps = (samples[1:] - samples[:-1]).norm(dim=1)
        return straight_curves(samples), torch.cat([steps.new_zeros(1), steps.cumsum(0)])
    values = samples.numpy()
    pending, found = [(0, len(values) - 1)], []
    while pending:
        first, last = pending.pop()
        points, places, errors = _fit_one(values[first : last + 1])
        if errors.max() <= max_error:
            found.append((points, places))
            continue
        middle = (first + last) // 2
        pending += [(middle, last), (first, middle)]  # the earlier half is fitted first
    behind, starts = 0.0, []
    for points, places in found:
        lengths = behind + _lengths(points, places)
        starts.append(lengths[:-1])
        behind = lengths[-1]
    curves = np.concatenate([points[:-1] for points, _ in found])
    ways = np.concatenate([*starts, [behind]])
    return torch.cat([torch.from_numpy(curves), samples[-1:]]), torch.from_numpy(ways)


def _fit_one(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A curve [4, 2] for samples [N, 2], their places [N] on it in 0..1, and distances [N]."""
    steps = np.linalg.norm(np.diff(samples, axis=0), axis=1)
    places = np.concatenate([[0.0], steps.cumsum()]) / steps.sum()
    straight = straight_curves(torch.from_numpy(samples[[0, -1]])).numpy()
    points = straight
    for _ in range(ROUNDS if len(samples) > 2 else 0):
        # The difference from the straight line is what is fitted: few samples bend it little.
        handles = np.stack(curve_weights(places)[1:3], axis=1)
        between = samples - _curve(straight, places)
        bent = np.linalg.lstsq(handles[1:-1], between[1:-1], rcond=None)[0]
        points = straight + np.concatenate([[[0, 0]], bent, [[0, 0]]])
        places = _nearest(points, samples, places)
    errors = np.linalg.norm(_way(points, places) - samples, axis=1)
    return points, places, errors


def _nearest(points: np.ndarray, samples: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Places on a curve that are nearer to the samples: a step of Newton's method."""
    slopes, bends = 3 * np.diff(points, axis=0), 6 * np.diff(points, 2, axis=0)
    u = places[:, None]
    away = _curve(points, places) - samples
    slope = (1 - u) ** 2 * slopes[0] + 2 * u * (1 - u) * slopes[1] + u**2 * slopes[2]
    bend = (1 - u) * bends[0] + u * bends[1]
    steep = (slope**2 + away * bend).sum(axis=1)
    step = np.divide((away * slope).sum(axis=1), steep, np.zeros_like(steep), where=steep > 0)
    # A sample never lies before its neighbour, and the ends stay.
    moved = np.maximum.accumulate((places - step).clip(0, 1))
    moved[[0, -1]] = 0, 1
    return moved


def _curve(points: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Points [N, 2] of a curve [4, 2] at places [N] in 0..1."""
    weights = curve_weights(places[:, None])
    return sum(weight * point for weight, point in zip(weights, points, strict=True))


def _way(points: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Points [N, 2] of the straight pieces between the samples of a curve."""
    corners = sample_curves(torch.from_numpy(points)).numpy()
    at = places * STEPS
    return np.stack([np.interp(at, np.arange(STEPS + 1), x) for x in corners.T], axis=1)


def _lengths(points: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The length of the straight pieces up to places [N] of a curve."""
    corners = sample_curves(torch.from_numpy(points)).numpy()
    steps = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    return np.interp(places * STEPS, np.arange(STEPS + 1), np.concatenate([[0], steps.cumsum()]))
