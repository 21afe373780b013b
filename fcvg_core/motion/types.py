"""The types that pass between the modules of this folder: all that moves between keyframes."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..lines import LineMatches
from ..paths import Path
from ..pose import Poses, match_people
from .camera import Camera
from .region import Region


@dataclass(frozen=True, eq=False)
class Span:
    """What moves between two neighbouring keyframes.

    Attributes:
        matches: lines of both keyframes; None: no lines are known.
        people: people of the first and of the last keyframe, [P, ...] each; None: none are known.
        pairs: [M, 2] int64, rows of `people` that are the same person; None: `match_people`.
        paths: points that move along curves of their own.
        holds: regions that stand still: what lies in them in the first keyframe keeps its place.
        camera: the camera's move, which bends the ways between the keyframes; None: the ways
            are straight.
    """

    matches: LineMatches | None = None
    people: tuple[Poses, Poses] | None = None
    pairs: Tensor | None = None
    paths: tuple[Path, ...] = ()
    holds: tuple[Region, ...] = ()
    camera: Camera | None = None

    @property
    def people_pairs(self) -> Tensor:
        """`pairs`, or those of `match_people`: [M, 2] int64; [0, 2] if no people are known."""
        if self.people is None:
            return torch.zeros(0, 2, dtype=torch.int64)
        return match_people(*self.people) if self.pairs is None else self.pairs


@dataclass(frozen=True, eq=False)
class Motion:
    """What moves between two keyframes or more.

    Attributes:
        size: (height, width) of all keyframes, in pixels.
        spans: one for each two neighbouring keyframes, in the order of time.
    """

    size: tuple[int, int]
    spans: tuple[Span, ...]

    def __post_init__(self) -> None:
        if not self.spans:
            raise ValueError("expected at least one span, got none")
        for span in self.spans:
            if span.matches is not None and tuple(span.matches.size) != tuple(self.size):
                raise ValueError(
                    f"expected lines of frames of the size {tuple(self.size)}, got "
                    f"{tuple(span.matches.size)}"
                )

    @property
    def num_keyframes(self) -> int:
        """Number of keyframes: one more than there are spans."""
        return len(self.spans) + 1
