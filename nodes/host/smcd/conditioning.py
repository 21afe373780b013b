"""Prompts, a picture and boxes that move -> the host's conditionings for SMCD.

Source: Mingxiao-Li/Animate-Your-Motion inference_customize.py, modelscope_t2v/ms_pipeline.py.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import comfy.latent_formats
import comfy.model_management as mm
import comfy.sd
import numpy as np
import torch
from torch import Tensor

from ....fcvg_core.boxes import BoxTracks, check_count, fit_boxes, resample_boxes, stack_padded
from ....fcvg_core.choices import STRETCH
from ....fcvg_core.errors import UserError
from ....fcvg_core.models.smcd.rules import MOST_OBJECTS, check_video
from ....fcvg_core.models.smcd.tokens import image_tokens, object_tokens
from ..fitting import fit_pictures
from ..images import first_picture
from ..latents import empty_video
from ..unet3d.checks import check_prompt, check_vae
from ..unet3d.model import IMAGE_LATENTS
from .labels import RIGHT_CLIP, embed_label
from .loading import COMPUTE, HostEncoders, SmcdEncoders
from .model import IMAGE_TOKENS, NAME, OBJECTS


@dataclass(frozen=True, kw_only=True)
class BoxSettings:
    """What a video is like besides its picture, its boxes and its prompt.

    Attributes:
        num_frames: frames of the video; SMCD was trained with 8.
        size: (height, width) in pixels, multiples of 64; trained with 256.
        fit: how a picture of another shape, and its boxes, are brought to the size; see
            `place_picture`. The official code stretches them.
        pad_to: 0: the boxes as given, as in the official command for one picture; up to 8: absent
            objects fill them up to this number, as 8 did in training.
    """

    num_frames: int
    size: tuple[int, int]
    fit: str = STRETCH
    pad_to: int = 0


def condition_boxes(
    positive: list,
    negative: list,
    encoders: SmcdEncoders,
    clip: comfy.sd.CLIP,
    vae: comfy.sd.VAE,
    image: Tensor,
    tracks: BoxTracks | None,
    settings: BoxSettings,
) -> tuple[list, list, list, dict]:
    """Outputs of the conditioning node.

    Args:
        positive, negative: CONDITIONINGs of prompts.
        clip: encodes the labels of the boxes.
        image: an IMAGE input, of which the first picture counts.
        tracks: the objects, as shares of the picture; None: no objects. If they have another
            number of frames than the video, they are spread over it.

    Returns:
        Conditionings positive, negative and nothing; a LATENT without content [T, 4, h, w]. Of
        these, nothing has the text of the negative, neither picture nor boxes: what training left
        out, for a guider with three branches.

    Raises:
        UserError: before a network runs, if the video is not possible, or an input is no picture
            or belongs to another family.

    Differs: latents are the mode of the VAE's distribution, as ComfyUI encodes; the official code
        draws them.
    """
    whole = first_picture(image, "image")
    network: HostEncoders = encoders.patcher.model
    _check(positive, negative, vae, network, settings)
    tracks = _fit_tracks(tracks, tuple(whole.shape[1:3]), settings)
    latents = vae.encode(fit_pictures(whole, settings.size, "image", settings.fit))
    labels = _embed_labels(tracks, clip, network)
    given, without = _tokens(encoders, tracks, labels, latents, settings)
    return (
        _with_values(positive, given),
        _with_values(negative, given),
        _with_values(negative, without),
        empty_video(settings.num_frames, settings.size),
    )


def _check(
    positive: list,
    negative: list,
    vae: comfy.sd.VAE,
    network: HostEncoders,
    settings: BoxSettings,
) -> None:
    """Raise UserError unless the video is possible, and prompts and VAE are SMCD's.

    What the model was not trained for is logged.
    """
    check_video(settings.size, settings.num_frames)
    for name, prompt in (("positive", positive), ("negative", negative)):
        check_prompt(prompt, name, network.position_net.config.out_channels, NAME)
    check_vae(vae, NAME)


def _fit_tracks(
    tracks: BoxTracks | None, picture: tuple[int, int], settings: BoxSettings
) -> BoxTracks:
    """The tracks in the frames of the video."""
    if tracks is None:
        return BoxTracks((), settings.num_frames)
    check_count(tracks, MOST_OBJECTS, name=NAME)
    if tracks.num_frames != settings.num_frames:
        logging.warning(
            "The boxes have %d frames, the video %d: the boxes are spread over the video.",
            tracks.num_frames,
            settings.num_frames,
        )
        tracks = resample_boxes(tracks, settings.num_frames)
    return fit_boxes(tracks, picture, settings.size, settings.fit)


def _embed_labels(tracks: BoxTracks, clip: comfy.sd.CLIP, network: HostEncoders) -> list[Tensor]:
    """The embedding [D] of each object's label; each label is encoded once."""
    known = {label: embed_label(clip, label) for label in dict.fromkeys(tracks.labels)}
    wanted = network.position_net.config.in_channels
    for embedding in known.values():
        if len(embedding) != wanted:
            raise UserError(
                f"The CLIP makes embeddings of width {len(embedding)}, but SMCD's PositionNet "
                f"takes labels of width {wanted}: {RIGHT_CLIP}."
            )
    return [known[label] for label in tracks.labels]


def _tokens(
    encoders: SmcdEncoders,
    tracks: BoxTracks,
    labels: Sequence[Tensor],
    latents: Tensor,
    settings: BoxSettings,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What picture and boxes add to a conditioning, and the same without picture and boxes."""
    patcher, num_frames = encoders.patcher, settings.num_frames
    network: HostEncoders = patcher.model
    mm.load_model_gpu(patcher)
    make = {"device": patcher.load_device, "dtype": COMPUTE}
    boxes, present = stack_padded(tracks, settings.pad_to)
    # Without a label the tokens would be computed where the weights lie, in their number format.
    width = network.position_net.config.in_channels
    embedded = [label.to(**make) for label in labels] or [torch.zeros(width, **make)]
    found = []
    for there, seen in (
        (present, latents),
        (np.zeros_like(present), torch.zeros_like(latents)),
    ):
        scaled = comfy.latent_formats.SD15().process_in(seen).to(**make)
        values = {
            OBJECTS: object_tokens(network.position_net, boxes, there, embedded),
            IMAGE_TOKENS: image_tokens(network.visual_encoder, scaled, num_frames),
        }
        values = {key: x.to(mm.intermediate_device(), COMPUTE) for key, x in values.items()}
        found.append({**values, IMAGE_LATENTS: seen.repeat(num_frames, 1, 1, 1)})
    return tuple(found)


def _with_values(prompt: list, values: dict) -> list:
    """A CONDITIONING of a prompt with what else the network takes."""
    return [[text, {**more, **values}] for text, more in prompt]
