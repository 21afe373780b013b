"""Classifier-free guidance whose scale changes along the frames of a window.

Source: Tian-one/FCVG pipeline/pipeline_FCVG.py:338-402.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .fusion import per_frame


@dataclass(frozen=True)
class Guidance:
    """Guidance scale of the frames of a window, in the order in which a pass sees the frames.

    The backward pass sees the last keyframe first, so its ramp runs the other way round in the
    video.

    Attributes:
        start: scale at the first frame.
        end: scale at the last frame; between the two it changes linearly.
    """

    start: float
    end: float

    @property
    def needs_uncond(self) -> bool:
        """Whether the unconditional prediction counts; at a scale of 1 it cancels out."""
        return (self.start, self.end) != (1.0, 1.0)

    def ramp(self, like: Tensor) -> Tensor:
        """[T, 1, ...] scales for a prediction shaped `like` [T, ...]."""
        return per_frame(torch.linspace(self.start, self.end, like.shape[0]), like)


def guide(cond: Tensor, uncond: Tensor, scale: Tensor | float) -> Tensor:
    """Move the unconditional prediction towards the conditional prediction, and beyond it.

    Args:
        cond, uncond: [T, ...] predictions.
        scale: number, or [T, 1, ...] from `Guidance.ramp`; 0 gives `uncond`, 1 gives `cond`.

    Returns:
        [T, ...].
    """
    return uncond + scale * (cond - uncond)
