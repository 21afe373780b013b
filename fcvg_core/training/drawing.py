"""What chance decides of a training step: noise levels, noise, directions, dropped conditions.

All numbers come from one generator on the CPU, so every device makes the same passes, and a run
that goes on with the generator's state makes the passes that it would have made.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from ..choices import BOTH, DIRECTIONS, FORWARD, RANDOM
from .clips import Clip, reverse_clip
from .dropout import Dropout
from .noise import Distribution, LogNormal, draw_sigmas
from .steps import Pass


@dataclass(frozen=True, kw_only=True)
class Draw:
    """How passes are drawn.

    Attributes:
        sigmas: distribution of the noise levels.
        dropout: of conditions.
        directions: "forward" in time alone, a "random" direction of each clip, or "both". Both
            are two passes at the same noise level, which cost one pass of ControlNeXt.
    """

    sigmas: Distribution = field(default_factory=LogNormal)
    dropout: Dropout = field(default_factory=Dropout)
    directions: str = RANDOM

    def __post_init__(self):
        if self.directions not in DIRECTIONS:
            raise ValueError(f"expected one of {', '.join(DIRECTIONS)}, got {self.directions!r}")


def draw_passes(clips: Sequence[Clip], draw: Draw, generator: torch.Generator) -> list[Pass]:
    """The passes of a step over clips, clip after clip; each has its own noise.

    Args:
        clips: at least one. A clip with one reference image has the forward direction alone.
        generator: on the CPU.
    """
    sigmas = draw_sigmas(draw.sigmas, len(clips), generator)
    passes = []
    for clip, sigma in zip(clips, sigmas, strict=True):
        for turned in _directions(clip, draw.directions, generator):
            noise = torch.randn(clip.latents.shape, generator=generator)
            kept = draw.dropout.draw(generator)
            passes.append(Pass(turned, sigma, noise, kept))
    return passes


def _directions(clip: Clip, directions: str, generator: torch.Generator) -> tuple[Clip, ...]:
    """A clip in the directions that are trained."""
    if directions == FORWARD or len(clip.images) == 1:
        return (clip,)
    if directions == BOTH:
        return clip, reverse_clip(clip)
    backward = bool(torch.rand((), generator=generator) < 0.5)
    return (reverse_clip(clip) if backward else clip,)
