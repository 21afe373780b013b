"""Segments + keypoints -> wireframe: ends that lie together become one junction.

Source: GlueStick (arXiv 2304.02008); cvg/GlueStick gluestick/models/wireframe.py.
"""

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from torch import Tensor

from .superpoint import Keypoints, sample_descriptors
from .types import LineSegments, Wireframe

JUNCTION_RADIUS = 3.0  # pixels; ends as near as this are one junction
FREE_RADIUS = 4.0  # pixels around an end in which no keypoint stays


def build_wireframe(
    segments: LineSegments, keypoints: Keypoints, size: tuple[int, int]
) -> Wireframe:
    """Wireframe of one frame: junctions, then the keypoints that lie near no end.

    Order and direction of the segments stay; one whose ends meet is kept as a point.

    Args:
        segments: N >= 0; their scores count in relation to the best.
        keypoints: on the device on which the wireframe shall be.
        size: (height, width) of the frame, in pixels.

    Source: cvg/GlueStick gluestick/models/wireframe.py.
    Differs: junctions are found with scipy's KD-tree instead of scikit-learn's DBSCAN, which
        gives the same ones; a frame without segments is allowed.
    """
    device = keypoints.points.device
    lines, line_scores = segments.lines.to(device), segments.scores.to(device)
    if len(lines):
        line_scores = line_scores / (1e-8 + line_scores.max())
    labels = cluster_points(segments.lines.reshape(-1, 2).cpu().numpy())
    count = int(labels.max(initial=-1)) + 1
    labels = torch.from_numpy(labels).to(device)  # [2N]
    ends = lines.reshape(-1, 2)
    junctions = torch.stack([_mean(ends[:, axis], labels, count) for axis in (0, 1)], dim=1)
    junction_scores = _mean(line_scores.repeat_interleave(2), labels, count)
    free = ~near_points(keypoints.points, ends, FREE_RADIUS)  # the ends as they were found
    points = torch.cat([junctions, keypoints.points[free]])
    return Wireframe(
        points=points,
        scores=torch.cat([junction_scores, keypoints.scores[free]]),
        descriptors=sample_descriptors(keypoints.dense, points),
        lines=junctions[labels].reshape(-1, 2, 2),
        line_points=labels.reshape(-1, 2),
        line_scores=line_scores,
        size=size,
    )


def cluster_points(points: np.ndarray, radius: float = JUNCTION_RADIUS) -> np.ndarray:
    """Which points hang together, each no farther than the radius from another of its cluster.

    Args:
        points: [K, 2].
        radius: in the unit of the points; just as far is near enough.

    Returns:
        [K] int64: 0 for the first point's cluster, then as they appear.
    """
    count = len(points)
    if not count:
        return np.zeros(0, np.int64)
    pairs = cKDTree(points).query_pairs(radius, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), (count, count))
    _, labels = connected_components(graph, directed=False)
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    order = np.empty(len(first), np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    return order[inverse.reshape(-1)]


def near_points(points: Tensor, others: Tensor, radius: float) -> Tensor:
    """Whether a point lies nearer than the radius to any other: [K, 2], [M, 2] -> [K] bool."""
    return ((points[:, None] - others).norm(dim=-1) < radius).any(dim=1)


def _mean(values: Tensor, labels: Tensor, count: int) -> Tensor:
    """Mean of the values of each label: [K], [K] int64 -> [count]."""
    return values.new_zeros(count).scatter_reduce(0, labels, values, "mean", include_self=False)
