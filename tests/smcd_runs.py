"""Conditionings of a tiny SMCD in the host, and runs of the host's samplers."""

from dynamicrafter_runs import FRAMES, SIZE, Rig, random
from unet3d_cases import TINY_SMCD

OBJECTS, TOKENS = 2, 4  # of a frame


class SmcdRig(Rig):
    """Conditionings and runs of one model."""

    room = "smcd"

    def conditioning(self, seed: int, *, frames: int = FRAMES, length: int = 77, **more) -> list:
        """A prompt with a picture and boxes, as the conditioning node gives it."""
        width = TINY_SMCD.context_channels
        values = {
            self.keys.IMAGE_LATENTS: random(3, 1, 4, SIZE, SIZE).repeat(frames, 1, 1, 1),
            self.keys.OBJECTS: random(4, frames, OBJECTS, width),
            self.keys.IMAGE_TOKENS: random(5, frames, TOKENS, width),
        }
        return [[random(seed, 1, length, width), {**values, **more}]]
