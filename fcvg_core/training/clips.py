"""A clip as a training step takes it: encoded, with its conditions; and its way back in time."""

from dataclasses import dataclass, replace

from torch import Tensor

from ..standalone.networks.passes import EncodedImage


@dataclass(frozen=True, eq=False)
class Clip:
    """The frames of a clip, and what the networks are told of them.

    Attributes:
        latents: [T, 4, h, w] scaled latents of the true frames.
        images: the clip's first and last frame; or one reference image, any frame of its video.
            The first of the images conditions the UNet.
        control: [T, 3, H, W] in 0..1 or uint8, the size of the frames, always in the video's
            order of time; None if nothing is steered.
        ids: fps - 1, motion bucket and augmentation, as the UNet takes them.
        weights: [T, 1, h, w], how much each place counts in the loss; None: all count 1.
        backward: whether latents, images and weights are in reverse order of time.
    """

    latents: Tensor
    images: tuple[EncodedImage, ...]
    control: Tensor | None
    ids: tuple[float, float, float]
    weights: Tensor | None = None
    backward: bool = False

    def __post_init__(self):
        shape = tuple(self.latents.shape)
        if len(shape) != 4 or not shape[0]:
            raise ValueError(f"expected latents [T, 4, h, w] of a clip, got {shape}")
        if len(self.images) not in (1, 2):
            raise ValueError(f"expected 1 or 2 images of a clip, got {len(self.images)}")
        for image in self.images:
            if image.latent.shape != (1, *shape[1:]):
                found = tuple(image.latent.shape)
                raise ValueError(f"expected an image's latent {(1, *shape[1:])}, got {found}")
        if self.control is not None and len(self.control) != shape[0]:
            raise ValueError(f"expected {shape[0]} control frames, got {len(self.control)}")
        expected = (shape[0], 1, *shape[2:])
        if self.weights is not None and self.weights.shape != expected:
            raise ValueError(f"expected weights {expected}, got {tuple(self.weights.shape)}")


def reverse_clip(clip: Clip) -> Clip:
    """The same clip backward in time, from its last frame to its first; reversed twice, itself.

    The sampler of FCVG uses the networks in both directions. Control frames stay as they are:
    their features, which are computed frame by frame, then serve both directions.

    Raises:
        ValueError: the clip has one reference image, which is no end of it.
    """
    if len(clip.images) != 2:
        raise ValueError("a clip with one reference image can't be reversed: its end is unknown")
    return replace(
        clip,
        latents=clip.latents.flip(0),
        images=clip.images[::-1],
        weights=None if clip.weights is None else clip.weights.flip(0),
        backward=not clip.backward,
    )
