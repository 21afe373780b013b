"""Matched lines -> a smooth field: where every pixel comes from and where it goes."""

import itertools
from dataclasses import dataclass

import numpy as np

from ..lines import LineMatches
from ..lines.motion import apply_homography
from ..lines.track import paired_ends
from .camera import fit_camera, half_way
from .grid import blur, is_near, look_up, pixel_grid

SPACING = 8  # pixels between points on a line, and between nodes of the coarse grid
# A line that leaves the camera's motion by more belongs to an object, or is a wrong match.
MAX_RESIDUE = 0.03  # of the diagonal
SCALES = (48.0, 24.0, 12.0, 6.0, 3.0, 1.5)  # sigmas in nodes: far from lines the field is smooth
MIN_SUPPORT = 0.002  # of a line's weight; with less a scale takes the values of the scale before
MIN_AREA = 0.1  # smallest area to which a line may shrink a pixel; 0 would be a fold


@dataclass(frozen=True, eq=False)
class LineField:
    """How the lines move everything.

    Attributes:
        half: [h, w, 2] float32 pixels: a pixel p of the middle frame was at p - half in the
            first keyframe and is at p + half in the last.
        others: [M, 4] pixels: points (x, y) of lines that leave this field, where the first
            keyframe shows them once the field has carried it to the middle; and how far the last
            keyframe, carried to the middle as well, shows them from there (dx, dy).
    """

    half: np.ndarray
    others: np.ndarray


def spread_lines(matches: LineMatches, size: tuple[int, int]) -> LineField:
    """The field of matched lines: the camera's motion, and what each line adds near itself.

    Nothing folds: where lines cross or contradict each other, what they add is smoothed until
    every pixel keeps at least a tenth of its area at every time (MIN_AREA), or they add nothing.

    Args:
        matches: N >= 0 lines in or near a frame of `size` (see `is_near`), in its pixels.
        size: (height, width) in pixels.

    Source: the motion of a pixel near a line is that of Beier and Neely, Feature-Based Image
        Metamorphosis (1992).
    Differs: lines vote for one motion of the camera, which continues where there are no lines; the
        rest is spread by normalised convolution (Knutsson and Westin, 1993), whose time does not
        depend on the number of lines.
    """
    start, end, line = _points_on(matches)
    nodes = pixel_grid((-(-size[0] // SPACING) + 1, -(-size[1] // SPACING) + 1)) * SPACING
    camera = fit_camera(start, end, line, size)
    middles, half = (start + end) / 2, (end - start) / 2
    residue = half - half_way(camera, middles)
    follows = 2 * np.linalg.norm(residue, axis=1) < MAX_RESIDUE * np.hypot(*size)
    base = half_way(camera, nodes).astype(np.float32)
    added = _spread(middles[follows], residue[follows], nodes.shape[:2])
    field = base + _unfold(base, added)
    half_field = look_up(field, pixel_grid(size) / SPACING)
    return LineField(half_field, _leaving(camera, start[~follows], end[~follows], size))


def _points_on(matches: LineMatches) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points on both segments of every match, two [M, 2], and the number of each match [M]."""
    lines0 = matches.lines0.double().numpy()
    lines1 = paired_ends(matches.lines0, matches.lines1, matches.kept_ends).double().numpy()
    both = np.stack([lines0, lines1])
    lengths = np.linalg.norm(both[:, :, 1] - both[:, :, 0], axis=-1).max(axis=0)
    counts = np.ceil(lengths / SPACING).astype(int) + 1
    line = np.repeat(np.arange(len(counts)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    part = (np.arange(len(line)) - first) / np.maximum(counts[line] - 1, 1)
    points = both[:, line, 0] + (both[:, line, 1] - both[:, line, 0]) * part[:, None]
    return np.ascontiguousarray(points[0]), np.ascontiguousarray(points[1]), line


def _spread(places: np.ndarray, values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Values [M, 2] at places [M, 2] in pixels, continued to all nodes: [*shape, 2] float32."""
    weight = np.zeros(shape, np.float32)
    total = np.zeros((*shape, 2), np.float32)
    columns, rows = np.rint(places / SPACING).astype(int).T
    inside = (columns >= 0) & (rows >= 0) & (columns < shape[1]) & (rows < shape[0])
    at = rows[inside], columns[inside]
    np.add.at(weight, at, 1)
    np.add.at(total, at, values[inside].astype(np.float32))
    total /= np.maximum(weight, 1)[..., None]
    weight = np.minimum(weight, 1)
    field = np.zeros_like(total)
    for sigma in SCALES:
        near = blur(weight, sigma)[..., None]
        field = (blur(total, sigma) + MIN_SUPPORT * field) / (near + MIN_SUPPORT)
    return field


def _unfold(base: np.ndarray, added: np.ndarray) -> np.ndarray:
    """What is added to a field of nodes, smoothed until nothing folds."""
    for sigma in sorted(SCALES):
        if smallest_area((base + added) / SPACING) >= MIN_AREA:
            return added
        added = blur(added, sigma)
    return np.zeros_like(added)


def smallest_area(half: np.ndarray) -> float:
    """Smallest area of a part of a grid cell at any time; below 0 the cell is folded.

    Between its nodes the field is bilinear, so the smallest area of a cell is at a corner.

    Args:
        half: [h, w, 2] half of the way to the last keyframe, in cells.
    """
    rights, downs = np.diff(half, axis=1), np.diff(half, axis=0)
    smallest = np.inf
    for right, down in itertools.product((rights[:-1], rights[1:]), (downs[:, :-1], downs[:, 1:])):
        trace = right[..., 0] + down[..., 1]
        determinant = right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0]
        # Of the way there and back, -1..1, the part at which the area turns. A cell can pass
        # through a point and be mirrored twice: then only the areas on the way are below 0.
        turn = np.clip(-trace / (2 * np.where(determinant == 0, 1, determinant)), -1, 1)
        for part in (-1, turn, 1):
            smallest = min(smallest, (1 + part * trace + part**2 * determinant).min())
    return float(smallest)


def _leaving(
    camera: np.ndarray, start: np.ndarray, end: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """`LineField.others` of points that leave the camera's motion: two [M, 2] -> [M, 4]."""
    shown0 = (start + apply_homography(camera, start)) / 2
    shown1 = (end + apply_homography(np.linalg.inv(camera), end)) / 2
    near = is_near(shown0, size) & is_near(shown1, size)
    return np.concatenate([shown0, shown1 - shown0], axis=1)[near]
