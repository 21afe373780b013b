"""Which conditions a batch keeps: what is missing now and then can be missing in inference.

Source: Mingxiao-Li/Animate-Your-Motion train.py, get_modelscope_inputs; text is always kept.
"""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Kept:
    """Which conditions a batch keeps.

    Attributes:
        boxes: boxes and labels; otherwise all objects are absent.
        concat: the first frame's latents beside those with noise; otherwise zeros.
        image: what the visual encoder sees of the first frame; otherwise zeros.
    """

    boxes: bool = True
    concat: bool = True
    image: bool = True


@dataclass(frozen=True)
class SmcdDropout:
    """The share of batches, 0..1, that lose a condition; each condition by a chance of its own."""

    boxes: float = 0.1
    concat: float = 0.0
    image: float = 0.0

    def draw(self, chance: torch.Generator) -> Kept:
        """What the next batch keeps.

        Args:
            chance: on the CPU.
        """
        shares = torch.tensor([self.boxes, self.concat, self.image])
        return Kept(*(torch.rand(3, generator=chance) >= shares).tolist())


WITH_PICTURE = SmcdDropout(concat=0.25, image=0.1)  # of --use_img_free_guidance
