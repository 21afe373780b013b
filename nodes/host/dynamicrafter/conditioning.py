"""A prompt and one or two pictures -> the host's conditionings for DynamiCrafter.

Source: Doubiiu/DynamiCrafter scripts/evaluation/inference.py:151-300.
"""

import logging
from dataclasses import dataclass

import comfy.clip_vision
import comfy.model_management as mm
import comfy.sd
import torch
from torch import Tensor

from ....fcvg_core.choices import AUTO, INTERPOLATE, WHOLE
from ....fcvg_core.clip import CLIP_SIZE, clip_pixels, normalize_for_clip
from ....fcvg_core.errors import UserError
from ....fcvg_core.models.dynamicrafter.conditioning import (
    GREY,
    check_request,
    concat_latents,
    frame_tokens,
)
from ....fcvg_core.models.dynamicrafter.variants import FRAMES
from ..fitting import fit_pictures
from ..images import first_picture
from ..latents import empty_video
from ..unet3d.checks import check_prompt, check_vae
from ..unet3d.model import IMAGE_LATENTS
from .loading import CHOOSE_VARIANT, Projector
from .model import IMAGE_TOKENS, NAME, RATE, VARIANT

RIGHT_ENCODER = "connect the clip_vision of Load DynamiCrafter, or CLIP-ViT-H-14"


@dataclass(frozen=True, kw_only=True)
class ClipSettings:
    """What a clip is like besides its pictures and its prompt.

    Attributes:
        mode: one of MODES.
        size: (height, width) in pixels.
        num_frames: frames of the clip.
        rate: frame stride of the 256 model, frames a second of the other models.
        image_tokens: one of IMAGE_TOKENS.
        clip_picture: one of CLIP_PICTURES: the picture that CLIP's image encoder sees.
        names: what the node calls the first and the last picture, for messages.
    """

    mode: str
    size: tuple[int, int]
    num_frames: int
    rate: int
    image_tokens: str
    clip_picture: str
    names: tuple[str, str] = ("image", "last_image")


def condition_clip(
    positive: list,
    negative: list,
    projector: Projector,
    clip_vision: comfy.clip_vision.ClipVisionModel,
    vae: comfy.sd.VAE,
    image: Tensor,
    last_image: Tensor | None,
    settings: ClipSettings,
) -> tuple[list, list, list, dict]:
    """Outputs of the conditioning node.

    Args:
        positive, negative: CONDITIONINGs of prompts.
        image, last_image: IMAGE inputs, of which the first picture counts. Both are fitted to the
            size of the clip, each by itself. Only interpolation takes `last_image`.

    Returns:
        Conditionings positive, negative and image_only; a LATENT without content. image_only has
        the text of the negative and the pictures of the positive.

    Raises:
        UserError: before a network runs, if the clip is not possible (see `check_request`), a
            picture is missing, or an input is no picture or belongs to another family.

    Differs: a picture that is narrower than the clip is cropped; the official code adds black
        borders. Latents are the mode of the VAE's distribution, as ComfyUI encodes; the official
        code draws them.
    """
    whole, last_image = _check_pictures(image, last_image, settings.names)
    _check_inputs(positive, negative, projector, vae, settings)
    first = fit_pictures(whole, settings.size, settings.names[0])
    last = _last_picture(last_image, settings)
    seen = whole if settings.clip_picture == WHOLE else first
    real, grey = _image_tokens(projector, clip_vision, seen)
    latents = concat_latents(
        vae.encode(first),
        None if last is None else vae.encode(last),
        settings.num_frames,
        settings.mode,
    )
    values = {IMAGE_LATENTS: latents, RATE: settings.rate, VARIANT: projector.variant}
    return (
        _with_picture(positive, real, values, settings),
        _with_picture(negative, grey, values, settings),
        _with_picture(negative, real, values, settings),
        empty_video(settings.num_frames, settings.size),
    )


def _check_pictures(
    image: Tensor, last_image: Tensor | None, names: tuple[str, str]
) -> tuple[Tensor, Tensor | None]:
    """The first picture of each of both inputs, if they are pictures."""
    last = None if last_image is None else first_picture(last_image, names[1])
    return first_picture(image, names[0]), last


def _check_inputs(
    positive: list, negative: list, projector: Projector, vae: comfy.sd.VAE, settings: ClipSettings
) -> None:
    """Raise UserError unless the clip is possible and prompts and VAE are DynamiCrafter's.

    What the model was not trained for is logged.
    """
    check_request(
        projector.variant,
        size=settings.size,
        num_frames=settings.num_frames,
        rate=settings.rate,
        mode=settings.mode,
        choose=CHOOSE_VARIANT,
    )
    for name, prompt in (("positive", positive), ("negative", negative)):
        check_prompt(prompt, name, projector.patcher.model.config.out_channels, NAME)
    check_vae(vae, NAME)
    if settings.image_tokens == AUTO and settings.num_frames != FRAMES:
        logging.info(
            "Every frame gets all image tokens, because the video has %d frames and not %d.",
            settings.num_frames,
            FRAMES,
        )


def _with_picture(prompt: list, tokens: Tensor, values: dict, settings: ClipSettings) -> list:
    """A CONDITIONING of a prompt, with image tokens and what else the network takes."""
    tokens = frame_tokens(tokens, settings.num_frames, settings.image_tokens)
    values = {**values, IMAGE_TOKENS: tokens}
    return [[text, {**more, **values}] for text, more in prompt]


def _last_picture(last_image: Tensor | None, settings: ClipSettings) -> Tensor | None:
    """The last picture [1, h, w, 3] at the size of the clip, if the mode takes one."""
    first_name, name = settings.names
    if settings.mode == INTERPOLATE:
        if last_image is None:
            raise UserError(
                f"Interpolation goes from {first_name} to {name}, but {name} is missing: connect "
                "it, or choose another mode."
            )
        return fit_pictures(last_image, settings.size, name)
    if last_image is not None:
        logging.info("The mode %s does not use %s.", settings.mode, name)
    return None


def _image_tokens(
    projector: Projector, clip_vision: comfy.clip_vision.ClipVisionModel, picture: Tensor
) -> tuple[Tensor, Tensor]:
    """Image tokens [1, n, D] of a picture [1, H, W, 3], and those of a grey picture."""
    frame = clip_pixels(picture.movedim(-1, 1))
    pixels = torch.cat([frame, torch.full((1, 3, CLIP_SIZE, CLIP_SIZE), GREY)])
    tokens = _clip_tokens(clip_vision, normalize_for_clip(pixels))
    patcher = projector.patcher
    network = patcher.model
    if tokens.shape[-1] != network.config.in_channels:
        raise UserError(
            f"The CLIP image encoder gives tokens of width {tokens.shape[-1]}, but DynamiCrafter "
            f"takes {network.config.in_channels}: {RIGHT_ENCODER}."
        )
    mm.load_model_gpu(patcher)
    found = network(tokens.to(patcher.load_device, network.compute_dtype))
    return found.to(mm.intermediate_device(), torch.float32).split(1)


def _clip_tokens(clip_vision: comfy.clip_vision.ClipVisionModel, pixels: Tensor) -> Tensor:
    """All tokens after the last layer, [B, 257, C]; see `embed_frame` of SVD for why."""
    if clip_vision.image_size != CLIP_SIZE:
        raise UserError(
            f"The CLIP image encoder takes pictures of {clip_vision.image_size} pixels, but "
            f"DynamiCrafter's takes {CLIP_SIZE}: {RIGHT_ENCODER}."
        )
    mm.load_model_gpu(clip_vision.patcher)
    return clip_vision.model(pixel_values=pixels.to(clip_vision.load_device))[0]
