"""Which conditions a training pass keeps: what guidance compares is learned from what is missing.

A condition is dropped after it was encoded: zeros take its place, as in the unconditional half of
inference.

Source: dvlab-research/ControlNeXt ControlNeXt-SVD-v2-Training/train_svd.py:523-527, 1256-1276.
"""

from dataclasses import dataclass

import torch

from ..errors import UserError

MOST = 1 / 3  # three kinds of passes have a dropped condition, and each has this share at most


@dataclass(frozen=True)
class Kept:
    """Which conditions a pass keeps.

    Attributes:
        embedding: CLIP's embedding of the keyframe.
        image: the keyframe's latent.
        control: the control frames.
    """

    embedding: bool = True
    image: bool = True
    control: bool = True


@dataclass(frozen=True)
class Dropout:
    """How often which conditions are dropped.

    Attributes:
        share: 0..1/3. This share of all passes loses the embedding alone, the same share loses
            embedding and image, and the same share the image alone.
        control_with_both: whether a pass without embedding and image has no control either.
            Inference steers the unconditional half not at all, so this is what its networks
            should have seen. The official training always keeps control.
    """

    share: float = 0.1
    control_with_both: bool = True

    def __post_init__(self):
        if not 0 <= self.share <= MOST:
            raise UserError(
                f"The share of passes that lose a condition is {self.share}: give a share from 0 "
                "to 0.333, because three kinds of passes have this share each."
            )

    def kept_at(self, place: float) -> Kept:
        """What a pass keeps.

        Args:
            place: in 0..1, evenly drawn.
        """
        if place < self.share:
            return Kept(embedding=False)
        if place < 2 * self.share:
            return Kept(embedding=False, image=False, control=not self.control_with_both)
        if place < 3 * self.share:
            return Kept(image=False)
        return Kept()

    def draw(self, generator: torch.Generator) -> Kept:
        """What the next pass keeps; the generator is on the CPU."""
        return self.kept_at(float(torch.rand((), generator=generator, dtype=torch.float64)))
