"""Segments + keypoints -> wireframe: ends of segments that lie close together become a junction.

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

JUNCTION_RADIUS = 3.0  # pixels; ends within this distance become one junction
FREE_RADIUS = 4.0  # pixels; keypoints nearer than this to an end are dropped


def build_wireframe(
    segments: LineSegments, keypoints: Keypoints, size: tuple[int, int]
) -> Wireframe:
    """Wireframe of one frame: junctions, then the keypoints that are not near a segment's end.

    Segments keep their order and direction. A segment whose two ends fall into the same junction
    is kept with zero length.

    Args:
        segments: N >= 0; their scores are divided by the best score.
        keypoints: keypoints of the same frame; the wireframe is made on their device.
        size: (height, width) of the frame, in pixels.

    Source: cvg/GlueStick gluestick/models/wireframe.py.
    Differs: scipy's KD-tree finds the junctions, not scikit-learn's DBSCAN; the junctions are the
        same. A frame without segments is allowed.
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
    # Measured from the ends as they were detected, not from the junctions.
    free = ~near_points(keypoints.points, ends, FREE_RADIUS)
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
    """Cluster of each point; points within the radius of each other share a cluster.

    Args:
        points: [K, 2].
        radius: largest distance (inclusive), in the unit of the points.

    Returns:
        [K] int64 cluster numbers, counted from 0 in the order of their first points.
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
    """Whether each point is nearer than the radius to any of `others`: [K, 2], [M, 2] -> [K]."""
    return ((points[:, None] - others).norm(dim=-1) < radius).any(dim=1)


def _mean(values: Tensor, labels: Tensor, count: int) -> Tensor:
    """Mean of the values that have the same label: [K], labels [K] int64 -> [count]."""
    return values.new_zeros(count).scatter_reduce(0, labels, values, "mean", include_self=False)
