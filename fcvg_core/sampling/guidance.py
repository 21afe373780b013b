"""Classifier-free guidance: along the frames of a window, and with two conditions.

Source: Tian-one/FCVG pipeline/pipeline_FCVG.py:338-402 (`Guidance`, `guide`);
Kynkaanniemi et al. (arXiv 2404.07724), guidance in a limited interval (`Guidance.at`);
Doubiiu/DynamiCrafter lvdm/models/samplers/ddim_multiplecond.py (`guide_branches`).
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import UserError
from .fusion import per_frame


@dataclass(frozen=True)
class Guidance:
    """Guidance scale of the frames of a window, in the order in which a pass sees the frames.

    The backward pass sees the last keyframe first, so its ramp runs the other way round in the
    video.

    Attributes:
        start: scale at the first frame.
        end: scale at the last frame; between the two it changes linearly.
        highest, lowest: the noise levels between which guidance acts, both included.
    """

    start: float
    end: float
    highest: float = math.inf
    lowest: float = 0.0

    def at(self, sigma: float) -> "Guidance":
        """The guidance at a noise level: outside its interval a scale of 1, which is none."""
        return self if self.lowest <= sigma <= self.highest else Guidance(1.0, 1.0)

    @property
    def needs_uncond(self) -> bool:
        """Whether the unconditional prediction counts; at a scale of 1 it cancels out."""
        return (self.start, self.end) != (1.0, 1.0)

    def ramp(self, like: Tensor) -> Tensor:
        """[T, 1, ...] scales for a prediction shaped `like` [T, ...]."""
        return per_frame(torch.linspace(self.start, self.end, like.shape[0]), like)


def check_guidance_interval(start: float, end: float) -> None:
    """Raise UserError if guidance would end before it begins.

    Args:
        start, end: shares of the noise levels, 0..1, where guidance begins and ends; if they are
            the same, guidance acts at this level alone.
    """
    if start > end:
        raise UserError(
            f"Guidance begins at {start:g} and ends at {end:g} of the noise levels, which is "
            "before it begins: set guidance_from to at most guidance_until."
        )


def warn_of_no_guidance(guidance: Guidance, levels: Sequence[float]) -> None:
    """Say in the log that guidance acts in no step of a run, because none lies in its interval.

    Args:
        levels: noise levels of the steps.
    """
    wanted = levels and guidance.needs_uncond
    if wanted and not any(guidance.at(level).needs_uncond for level in levels):
        logging.warning(
            "Guidance is off in the whole run, because no step lies between guidance_from and "
            "guidance_until: set them further apart, or take more steps."
        )


def guide(cond: Tensor, uncond: Tensor, scale: Tensor | float) -> Tensor:
    """Move the unconditional prediction towards the conditional prediction, and beyond it.

    Args:
        cond, uncond: [T, ...] predictions.
        scale: number, or [T, 1, ...] from `Guidance.ramp`; 0 gives `uncond`, 1 gives `cond`.

    Returns:
        [T, ...].
    """
    return uncond + scale * (cond - uncond)


def guide_branches(
    uncond: Tensor, image_only: Tensor, cond: Tensor, *, image_scale: float, text_scale: float
) -> Tensor:
    """Guidance by a picture and by a text, each with its own scale.

    Args:
        uncond: prediction with neither picture nor text, any shape.
        image_only: prediction with the picture alone.
        cond: prediction with both.
        image_scale, text_scale: if both are the same, the result is that of `guide`.

    Source: lvdm/models/samplers/ddim_multiplecond.py:234.
    """
    by_image = image_scale * (image_only - uncond)
    return uncond + by_image + text_scale * (cond - image_only)


def rescale_guidance(guided: Tensor, cond: Tensor, share: float) -> Tensor:
    """Give a guided prediction back the contrast that it had before guidance.

    Args:
        guided: [T, C, h, w] prediction of a whole clip after guidance, as the network gives it,
            or [C, T, h, w]: the standard deviation is that of all values of the clip.
        cond: conditional prediction, the same shape.
        share: 0..1, how much of the correction is made; 0 returns the guided prediction.

    Source: Lin et al. (arXiv 2305.08891) section 3.4;
        Doubiiu/DynamiCrafter lvdm/models/utils_diffusion.py:147.
    """
    if share == 0:
        return guided
    return guided * (share * cond.std() / guided.std() + (1 - share))
