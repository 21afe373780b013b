"""Keyframes -> the host's conditionings for SVD, with the numbers of the official code."""

import logging
from dataclasses import dataclass

import comfy.clip_vision
import comfy.model_management as mm
import comfy.sd
import torch
from torch import Tensor

from ....fcvg_core.clip import clip_pixels, normalize_for_clip
from ....fcvg_core.errors import UserError
from ....fcvg_core.models.controlnext import check_num_frames
from ....fcvg_core.models.svd import augment_keyframe, check_size
from ....fcvg_core.placement import place_picture
from ....fcvg_core.sampling import draw_augmentation
from ..fitting import fit_pictures
from ..images import check_image, first_picture
from ..latents import empty_video
from ..spans import mark_spans


@dataclass(frozen=True)
class KeyframeSettings:
    """Numbers that condition SVD besides the frames; see `SamplingSettings`."""

    fps: int
    motion_bucket_id: float
    augmentation: float


@dataclass(frozen=True, eq=False)
class EncodedImages:
    """The host's CONDITIONINGs of keyframes, or of a reference image.

    Attributes:
        images: of the keyframes that spans begin with, and of those that they end with; or of the
            reference image alone.
        negative: the unconditional conditioning.
    """

    images: tuple[list, ...]
    negative: list


def fit_keyframe(image: Tensor, size: tuple[int, int], name: str) -> Tensor:
    """One frame, cropped and resized to a size as in the official code.

    A frame that already has this size is not changed, not even rounded to 8 bits.

    Args:
        image: IMAGE [B, h, w, C] in 0..1; the first frame of the batch counts. See `check_image`.
        size: (height, width).
        name: name of the frame in messages.

    Returns:
        [1, 3, *size] in 0..1, float32.

    Raises:
        ValueError: the input is no picture.
    """
    return fit_picture(first_picture(image, name), size, name)


def fit_picture(image: Tensor, size: tuple[int, int], name: str) -> Tensor:
    """As `fit_keyframe`, for a picture [1, h, w, 3] from `first_picture`."""
    return fit_pictures(image, size, name).movedim(-1, 1)


def encode_keyframes(
    clip_vision: comfy.clip_vision.ClipVisionModel,
    vae: comfy.sd.VAE,
    frames: tuple[Tensor, ...],
    augmentation_noise: Tensor,
    settings: KeyframeSettings,
    at: tuple[int, ...] = (),
) -> EncodedImages:
    """Conditionings of all keyframes (or of one reference image) and the unconditional one.

    Args:
        frames: [1, 3, H, W] in 0..1 each.
        augmentation_noise: [1, 3, H, W], the same for all frames.
        at: frames of the keyframes in the video; needed by `mark_spans` if there are three or more.
    """
    embeddings = [embed_frame(clip_vision, frame) for frame in frames]
    latents = [
        _encode(vae, augment_keyframe(frame, augmentation_noise, settings.augmentation))
        for frame in frames
    ]
    pairs = zip(embeddings, latents, strict=True)
    images = tuple(_conditioning(*pair, settings) for pair in pairs)
    nothing = torch.zeros_like(embeddings[0]), torch.zeros_like(latents[0])
    conditionings = mark_spans(images, at) if len(images) > 2 else images
    return EncodedImages(conditionings, _conditioning(*nothing, settings))


def condition_video(
    clip_vision: comfy.clip_vision.ClipVisionModel,
    vae: comfy.sd.VAE,
    images: dict[str, Tensor],
    *,
    size: tuple[int, int],
    num_frames: int,
    settings: KeyframeSettings,
    seed: int,
    control_frames: Tensor | None,
    at: tuple[int, ...] = (),
) -> tuple:
    """Outputs of a conditioning node: the images' conditionings, the unconditional one, a LATENT.

    Args:
        images: IMAGE inputs by their names; see `fit_keyframe`.
        size: (height, width) of the video.
        seed: seed of the augmentation noise.
        control_frames: IMAGE input that is only compared with the video, if it is connected.
        at: frames of the images, if they are keyframes. Then there are two conditionings: of the
            keyframes that spans begin with, and of those that they end with.

    Raises:
        ValueError: before a network runs, if size or length of the video are not possible, an
            input is no picture, or there are more or fewer control frames than frames.
    """
    check_size(*size)
    if num_frames < 2:
        raise UserError(f"num_frames is {num_frames}, but a video has 2 frames or more: raise it.")
    if control_frames is not None:
        _compare_control(check_image(control_frames, "control_frames"), num_frames, size)
    frames = tuple(fit_keyframe(image, size, name) for name, image in images.items())
    noise = draw_augmentation(seed, size)
    encoded = encode_keyframes(clip_vision, vae, frames, noise, settings, at)
    return *encoded.images, encoded.negative, empty_video(num_frames, size)


def _compare_control(frames: Tensor, num_frames: int, size: tuple[int, int]) -> None:
    """Raise UserError unless there is a control frame for each frame; log if sizes differ."""
    check_num_frames(frames, num_frames)
    placement = place_picture(tuple(frames.shape[1:3]), size)
    if placement.picture != size:
        logging.info("control_frames: %s", placement)


def embed_frame(clip_vision: comfy.clip_vision.ClipVisionModel, frame: Tensor) -> Tensor:
    """CLIP embedding of a whole frame: [1, 3, H, W] in 0..1 -> [1, 1, D].

    The network is called without the host's own preparation of pictures, which would round away
    the overshoot of bicubic resizing, which the official code keeps.
    """
    mm.load_model_gpu(clip_vision.patcher)
    pixels = normalize_for_clip(clip_pixels(frame)).to(clip_vision.load_device)
    embedding = clip_vision.model(pixel_values=pixels)[2]
    return embedding.to(mm.intermediate_device(), torch.float32)[:, None]


def _encode(vae: comfy.sd.VAE, frame: Tensor) -> Tensor:
    """A frame [1, 3, H, W], about 0..1 -> its VAE latent [1, 4, h, w], unscaled as SVD takes it."""
    return vae.encode(frame.movedim(1, -1))


def _conditioning(embedding: Tensor, latent: Tensor, settings: KeyframeSettings) -> list:
    values = {
        "concat_latent_image": latent,
        "fps": settings.fps,
        "motion_bucket_id": settings.motion_bucket_id,
        "augmentation_level": settings.augmentation,
    }
    return [[embedding, values]]
