"""Regions of the picture that stand still."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Region:
    """A polygon in the first keyframe.

    Attributes:
        id: 0 or more, a different number for each region of a motion.
        points: [M, 2] float64 corners (x, y) in pixels, M >= 3.
        notes: what a text holds of the region beside its id and points, by key.
    """

    id: int
    points: np.ndarray
    notes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        points = np.asarray(self.points, np.float64)
        if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3:
            raise ValueError(f"expected at least 3 corners [M, 2], got {list(points.shape)}")
        object.__setattr__(self, "points", points)

    def contains(self, points: np.ndarray) -> np.ndarray:
        """Whether points (x, y) in pixels lie inside: [..., 2] -> [...] bool.

        A border that crosses itself has holes: inside is where a ray crosses it an odd number of
        times. Points that are not finite lie outside.
        """
        points = np.asarray(points, np.float64)
        finite = np.isfinite(points).all(axis=-1)
        x, y = np.moveaxis(np.where(finite[..., None], points, np.inf), -1, 0)
        inside = np.zeros(finite.shape, bool)
        for (x0, y0), (x1, y1) in self._sides():
            spans = (y0 > y) != (y1 > y)
            inside[spans] ^= x[spans] < x0 + (y[spans] - y0) / (y1 - y0) * (x1 - x0)
        return inside

    def mask(self, size: tuple[int, int]) -> np.ndarray:
        """Whether the middle of each pixel of a frame lies inside: [H, W] bool.

        Args:
            size: (height, width) of the frame. The first pixel's middle is (0.5, 0.5).
        """
        rows, columns = (np.arange(side) + 0.5 for side in size)
        inside = np.zeros(size, bool)
        for (x0, y0), (x1, y1) in self._sides():
            spans = (y0 > rows) != (y1 > rows)
            crossed = x0 + (rows[spans] - y0) / (y1 - y0) * (x1 - x0)
            inside[spans] ^= columns < crossed[:, None]
        return inside

    def _sides(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Both corners of each side that a level ray can cross."""
        sides = zip(np.roll(self.points, 1, axis=0), self.points, strict=True)
        return ((a, b) for a, b in sides if a[1] != b[1])
