"""Prompts, a picture and FPS -> the host's conditionings for DropletVideo.

Source: IEIT-AGI/DropletVideo inference.py, pipeline.py.
"""

import logging
from dataclasses import dataclass

import comfy.sd
import torch
from torch import Tensor

from ....fcvg_core.errors import UserError
from ....fcvg_core.models.dropletvideo import rules
from ....fcvg_core.models.dropletvideo.conditioning import (
    augment,
    condition_frames,
    mask_latents,
    pad_picture,
)
from ....fcvg_core.models.dropletvideo.vae import VideoVae
from ..fitting import fit_pictures
from ..images import first_picture
from .model import FPS, MASK, PICTURE_LATENTS

RIGHT_VAE = "connect the VAE of Load DropletVideo or of Load DropletVideo VAE"
RIGHT_TEXT = "encode the prompt by DropletVideo Text Encode"
SCALE = 8  # pixels of a latent's pixel


@dataclass(frozen=True, kw_only=True)
class DropletClip:
    """What a video is like besides its pictures and its prompt.

    Attributes:
        size: (height, width) in pixels.
        num_frames: frames of the video; rounded down to 4k + 1.
        fps: 1 to 60; fewer move more from frame to frame.
        fit: how a picture of another shape is brought to the size, see `place_picture`.
        pads: whether a size that is no multiple of 16 is padded.
        augmentation: standard deviation of the noise on the pictures, in -1..1.
        seed: of this noise.
    """

    size: tuple[int, int]
    num_frames: int
    fps: int
    fit: str
    pads: bool
    augmentation: float
    seed: int


def condition_clip(
    positive: list,
    negative: list,
    vae: comfy.sd.VAE,
    image: Tensor,
    end_image: Tensor | None,
    clip: DropletClip,
) -> tuple[list, list, dict]:
    """Outputs of the conditioning node.

    Args:
        positive, negative: CONDITIONINGs of `encode_prompts`.
        image, end_image: IMAGE inputs, of which the first picture counts.

    Returns:
        Conditionings positive and negative; a LATENT without content [1, 16, T, h, w].

    Raises:
        UserError: before a network runs, if the video is not possible, or an input is no picture
            or belongs to another family.

    Differs: the official code stretches the picture, which `fit` can do too, and draws the noise
        on it from a generator that no seed sets.
    """
    image = first_picture(image, "image")
    end_image = None if end_image is None else first_picture(end_image, "end_image")
    num_frames = _check(positive, negative, vae, clip)
    first = _picture(image, "image", clip)
    last = None if end_image is None else _picture(end_image, "end_image", clip)
    video = condition_frames(first, last, num_frames)
    if last is not None:
        logging.warning(
            "DropletVideo was not trained with a picture at the end: the video may not reach "
            "end_image."
        )
    video = augment(video, clip.augmentation, clip.seed)
    size = tuple(video.shape[-2:])
    latents = vae.encode(video[0].movedim(0, -1).add_(1).div_(2))
    mask = mask_latents(num_frames, tuple(latents.shape[-2:]), has_last=last is not None, scale=1.0)
    values = {PICTURE_LATENTS: latents, MASK: mask, FPS: clip.fps}
    prompts = ([[text, {**more, **values}] for text, more in x] for x in (positive, negative))
    return *prompts, empty_clip(num_frames, size)


def empty_clip(num_frames: int, size: tuple[int, int]) -> dict:
    """LATENT of a video without content: zeros [1, 16, T, H / 8, W / 8].

    Args:
        num_frames: 4k + 1.
        size: (height, width) in pixels, multiples of 16.
    """
    height, width = (side // SCALE for side in size)
    return {"samples": torch.zeros(1, 16, rules.count_latents(num_frames), height, width)}


def _check(positive: list, negative: list, vae: comfy.sd.VAE, clip: DropletClip) -> int:
    """The number of frames that the model can make, if everything else is possible."""
    rules.check_size(clip.size, pad=clip.pads)
    rules.check_fps(clip.fps)
    for name, prompt in (("positive", positive), ("negative", negative)):
        for text, more in prompt:
            _check_text(text, more, name)
    vae.throw_exception_if_invalid()
    if not isinstance(vae.first_stage_model, VideoVae):
        raise UserError(
            "This VAE is not DropletVideo's as this pack reads it. Even if it comes from the same "
            "file, ComfyUI's own Load VAE computes other numbers than the official code: "
            f"{RIGHT_VAE}."
        )
    return rules.round_frames(clip.num_frames)


def _check_text(text: Tensor, more: dict, name: str) -> None:
    """Raise UserError unless a text has 400 tokens, none of which is masked."""
    if text.ndim != 3 or text.shape[1] != rules.TEXT_TOKENS:
        raise UserError(
            f"{name} has the shape {list(text.shape)}, but DropletVideo takes "
            f"{rules.TEXT_TOKENS} tokens of T5-XXL: {RIGHT_TEXT}."
        )
    if "attention_mask" in more:
        raise UserError(
            f"{name} was encoded by a T5-XXL that masks the padding, but DropletVideo reads the "
            f"padding too: {RIGHT_TEXT}."
        )


def _picture(image: Tensor, name: str, clip: DropletClip) -> Tensor:
    """A picture [1, h, w, 3] of an input -> [3, H, W] in -1..1, at the size of the latents."""
    fitted = fit_pictures(image, clip.size, name, clip.fit)
    padded = torch.from_numpy(pad_picture(fitted[0].cpu().numpy()))
    return padded.movedim(-1, 0) * 2 - 1
