"""The type that passes between the modules of this folder: people as points with scores."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .skeleton import BODY, FEET, MIN_SCORE, NUM_POINTS


@dataclass(frozen=True, eq=False)
class Poses:
    """People of one frame, or (with a leading dimension [T]) of every frame of a video.

    A point with NaN or infinite values counts as not found: it is set to 0 with a score of 0.

    Attributes:
        keypoints: [..., P, 134, 2] (x, y) in 0..1 of the frame's width and height, P >= 0. They
            are float64, because drawing truncates to whole pixels. Points outside of 0..1 lie
            outside of the frame.
        scores: [..., P, 134], confidence of each point: about 0..1; 0 or less if the point was
            not found.
        brightness: [..., P] in 0..1, brightness with which each person is drawn; default 1.
    """

    keypoints: Tensor
    scores: Tensor
    brightness: Tensor | None = None

    def __post_init__(self) -> None:
        shape = self.keypoints.shape
        if self.keypoints.ndim < 3 or shape[-2:] != (NUM_POINTS, 2):
            raise ValueError(f"expected keypoints [..., P, {NUM_POINTS}, 2], got {list(shape)}")
        if self.scores.shape != shape[:-1]:
            raise ValueError(f"expected scores {list(shape[:-1])}, got {list(self.scores.shape)}")
        if self.brightness is None:
            object.__setattr__(self, "brightness", self.scores.new_ones(shape[:-2]))
        if self.brightness.shape != shape[:-2]:
            raise ValueError(
                f"expected brightness {list(shape[:-2])}, got {list(self.brightness.shape)}"
            )
        known = self.keypoints.isfinite().all(-1) & self.scores.isfinite()
        for name, value, keep in (
            ("keypoints", self.keypoints, known[..., None]),
            ("scores", self.scores, known),
            ("brightness", self.brightness, self.brightness.isfinite()),
        ):
            object.__setattr__(self, name, torch.where(keep, value.double(), 0.0))

    @property
    def num_people(self) -> int:
        """Number of people in each frame."""
        return self.scores.shape[-2]

    def people(self, indices: list[int] | Tensor) -> "Poses":
        """The people with the given indices, in this order."""
        return Poses(
            self.keypoints[..., indices, :, :],
            self.scores[..., indices, :],
            self.brightness[..., indices],
        )

    def frame(self, number: int) -> "Poses":
        """The people of one frame of a video."""
        return Poses(self.keypoints[number], self.scores[number], self.brightness[number])


def nobody() -> Poses:
    """A frame without people."""
    return Poses(torch.zeros(0, NUM_POINTS, 2), torch.zeros(0, NUM_POINTS))


def stack_frames(frames: list[Poses]) -> Poses:
    """One video from frames with the same number of people: T of [P, ...] -> [T, P, ...].

    Raises:
        ValueError: `frames` is empty, or the numbers of people differ.
    """
    if not frames or len({frame.num_people for frame in frames}) > 1:
        raise ValueError(
            "expected at least one frame, and the same number of people in all frames, got "
            f"{[frame.num_people for frame in frames]}"
        )
    names = ("keypoints", "scores", "brightness")
    return Poses(*(torch.stack([getattr(frame, name) for frame in frames]) for name in names))


def is_seen(poses: Poses) -> Tensor:
    """Whether each point is visible in its own frame: [..., P, 134] bool.

    Points of body and feet need a score above 0.3, as in the official code. Points of hands and
    face need a score above 0, because a low score makes them dark.
    """
    seen = poses.scores > 0
    for part in (BODY, FEET):
        seen[..., part] = poses.scores[..., part] > MIN_SCORE
    return seen
