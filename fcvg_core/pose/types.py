"""What travels between the steps of this room: people as points with scores."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .skeleton import BODY, FEET, MIN_SCORE, NUM_POINTS


@dataclass(frozen=True, eq=False)
class Poses:
    """People of one frame, or with a leading [T] of every frame of a video.

    A point that is not finite counts as not found: it is put at 0 with a score of 0.

    Attributes:
        keypoints: [..., P, 134, 2] (x, y) in 0..1 of the frame's width and height, P >= 0; float64,
            since drawing truncates to whole pixels. Outside of 0..1 is outside of the frame.
        scores: [..., P, 134], how sure each point is: about 0..1, at most 0 if it was not found.
        brightness: [..., P] in 0..1, how brightly each person is drawn; ones by default.
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
        """How many people there are in each frame."""
        return self.scores.shape[-2]

    def people(self, which: list[int] | Tensor) -> "Poses":
        """Some of the people, in the order given."""
        return Poses(
            self.keypoints[..., which, :, :],
            self.scores[..., which, :],
            self.brightness[..., which],
        )

    def frame(self, number: int) -> "Poses":
        """The people of one frame of a video."""
        return Poses(self.keypoints[number], self.scores[number], self.brightness[number])


def nobody() -> Poses:
    """A frame without people."""
    return Poses(torch.zeros(0, NUM_POINTS, 2), torch.zeros(0, NUM_POINTS))


def stack_frames(frames: list[Poses]) -> Poses:
    """Frames of as many people each, as one video: T of [P, ...] -> [T, P, ...].

    Raises:
        ValueError: there is no frame, or their people are not equally many.
    """
    if not frames or len({frame.num_people for frame in frames}) > 1:
        raise ValueError(
            "expected at least one frame and as many people in each, got "
            f"{[frame.num_people for frame in frames]}"
        )
    names = ("keypoints", "scores", "brightness")
    return Poses(*(torch.stack([getattr(frame, name) for frame in frames]) for name in names))


def is_seen(poses: Poses) -> Tensor:
    """Whether each point is drawn in its own frame: [..., P, 134] bool.

    Body and feet above a score of 0.3, as the reference draws them; points of hands and face at
    any score above 0, since they are drawn as dim as they are unsure.
    """
    seen = poses.scores > 0
    for part in (BODY, FEET):
        seen[..., part] = poses.scores[..., part] > MIN_SCORE
    return seen
