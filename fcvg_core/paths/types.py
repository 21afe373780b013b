"""The type that passes between the modules of this folder: a point that moves along a curve."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

UNIFORM = "uniform"


@dataclass(frozen=True, eq=False)
class Path:
    """A point that moves from its place in the first keyframe to its place in the last.

    Attributes:
        id: 0 to `ids.MAX_ID`, a different number for each path of a motion. It decides the colour.
        points: [3 * n + 1, 2] float64 (x, y) in pixels, n >= 0: n cubic Bezier curves, each with
            its begin, two handles, and its end, which is the begin of the next curve. One point
            alone stands still.
        speed: a timing as `progress_at` takes it, a name or numbers: the share of the path's
            length that lies behind the point, over the time of the motion.
        notes: what a file holds of the path beside these values, by key. It is written with it.
    """

    id: int
    points: Tensor
    speed: str | Sequence[float] = UNIFORM
    notes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = list(self.points.shape)
        if self.points.ndim != 2 or shape[1] != 2 or shape[0] % 3 != 1:
            raise ValueError(f"expected points [3 * n + 1, 2] of Bezier curves, got {shape}")
        object.__setattr__(self, "points", self.points.to(torch.float64))
