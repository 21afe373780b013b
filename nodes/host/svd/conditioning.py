"""Keyframes -> the host's conditionings for SVD, with the reference's numbers."""

import logging
from dataclasses import dataclass

import comfy.clip_vision
import comfy.model_management as mm
import comfy.sd
import torch
from torch import Tensor

from ....fcvg_core.clip import clip_pixels, normalize_for_clip
from ....fcvg_core.frames import crop_resize, to_image, to_uint8
from ....fcvg_core.models.svd import augment_keyframe
from ..images import first_picture


@dataclass(frozen=True)
class KeyframeSettings:
    """What SVD is told about the video besides its frames."""

    fps: int
    motion_bucket_id: int
    augmentation: float


def fit_keyframe(image: Tensor, size: tuple[int, int], name: str) -> Tensor:
    """One frame of the wanted size, cropped and resized as the reference does.

    A frame that has the size is left exactly as it is: it is not even rounded to 8 bits.

    Args:
        image: IMAGE [B, h, w, C] in 0..1; the first of the batch counts. See `check_image`.
        size: (height, width).
        name: of the frame, for messages.

    Returns:
        [1, 3, *size] in 0..1, float32.

    Raises:
        ValueError: the input is no picture.
    """
    return fit_picture(first_picture(image, name), size, name)


def fit_picture(image: Tensor, size: tuple[int, int], name: str) -> Tensor:
    """What `fit_keyframe` makes of a picture that was checked already, [1, h, w, 3]."""
    if tuple(image.shape[1:3]) != size:
        logging.info("%s: %s -> %s pixels.", name, tuple(image.shape[1:3]), size)
        image = to_image(crop_resize(to_uint8(image[0]), size)[None])
    return image.movedim(-1, 1)


def encode_keyframes(
    clip_vision: comfy.clip_vision.ClipVisionModel,
    vae: comfy.sd.VAE,
    frames: tuple[Tensor, ...],
    augmentation_noise: Tensor,
    settings: KeyframeSettings,
) -> tuple[list, ...]:
    """Conditionings of every keyframe (or of one reference image), then the unconditional one.

    Args:
        frames: [1, 3, H, W] in 0..1 each.
        augmentation_noise: [1, 3, H, W], the same for all.
    """
    given = [
        _conditioning(
            embed_frame(clip_vision, frame),
            _encode(vae, augment_keyframe(frame, augmentation_noise, settings.augmentation)),
            settings,
        )
        for frame in frames
    ]
    ((embedding, values),) = given[0]
    negative = _conditioning(
        torch.zeros_like(embedding), torch.zeros_like(values["concat_latent_image"]), settings
    )
    return *given, negative


def embed_frame(clip_vision: comfy.clip_vision.ClipVisionModel, frame: Tensor) -> Tensor:
    """CLIP embedding of a whole frame: [1, 3, H, W] in 0..1 -> [1, 1, D].

    The network is called past the host's own preparation of pictures, which would round the
    reference's bicubic overshoot away.
    """
    mm.load_model_gpu(clip_vision.patcher)
    pixels = normalize_for_clip(clip_pixels(frame)).to(clip_vision.load_device)
    embedding = clip_vision.model(pixel_values=pixels)[2]
    return embedding.to(mm.intermediate_device(), torch.float32)[:, None]


def _encode(vae: comfy.sd.VAE, frame: Tensor) -> Tensor:
    """VAE latent [1, 4, h, w], unscaled, as SVD takes it; [1, 3, H, W] about 0..1 in."""
    return vae.encode(frame.movedim(1, -1))


def _conditioning(embedding: Tensor, latent: Tensor, settings: KeyframeSettings) -> list:
    values = {
        "concat_latent_image": latent,
        "fps": settings.fps,
        "motion_bucket_id": settings.motion_bucket_id,
        "augmentation_level": settings.augmentation,
    }
    return [[embedding, values]]
