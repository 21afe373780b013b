"""The encoders and the VAE of DynamiCrafter and SMCD, as the host's own types."""

from pathlib import Path

import comfy.clip_vision
import comfy.ldm.models.autoencoder as autoencoder
import comfy.sd
import comfy.text_encoders.sd2_clip as sd2
import comfy.utils
import torch
from comfy import diffusers_convert
from comfy.supported_models_base import ClipTarget

from ....fcvg_core.errors import UserError
from ....fcvg_core.models.clip_towers import (
    TEXT_MARK,
    WHOLE_TEXT,
    Tower,
    find_tower,
    text_sizes,
    vision_sizes,
)
from ....fcvg_core.models.kinds import check_keys, describe_kind
from ....fcvg_core.weights import StateDict, find_prefix
from ..encoders import build_clip, build_image_encoder, read_autoencoder_sizes
from ..files import building, load_weights
from ..patchers import converted, meant_tensors, shapes
from ..quantised import refuse_quantised

VISUAL = "visual."
VAE_MARK, FROM_DIFFUSERS = "encoder.conv_in.weight", "encoder.down_blocks.0.resnets.0.conv1.weight"
CLIP = "clip_h"  # the host's name of the text encoder
TEXT, PROJECTION = f"{CLIP}.transformer.text_model.", f"{CLIP}.transformer.text_projection.weight"
NUMBERED = "position_ids"  # numbers from 0 on, which older files hold


def open_text_encoder(path: str, disable_dynamic: bool) -> comfy.sd.CLIP:
    """The text encoder of a file that holds it alone, or both of CLIP's encoders.

    Args:
        path: with the names of OpenCLIP or of transformers.
        disable_dynamic: see `can_load_again`.

    Raises:
        UserError: the file can't be read, is quantised, or holds no CLIP text encoder.
    """
    name = Path(path).name
    tensors, notes = load_weights(path)
    refuse_quantised(tensors, notes, name=name)
    tower = find_tower(tensors, TEXT_MARK)
    if tower is None:
        raise UserError(
            f"{name} is {describe_kind(tensors)}, but a CLIP text encoder is needed: use that of "
            "ModelScope or of Stable Diffusion 2.1."
        )
    return _build_text_encoder(tower, tensors, name, disable_dynamic)


def load_text_encoder(tensors: StateDict, name: str, disable_dynamic: bool) -> comfy.sd.CLIP:
    """The text encoder of SD 2, which stops before its last layer.

    Args:
        tensors: under the names of OpenCLIP.
        name: of the file, for messages.
        disable_dynamic: see `can_load_again`.
    """
    return _build_text_encoder(Tower("", is_open_clip=True), tensors, name, disable_dynamic)


def _build_text_encoder(
    tower: Tower, tensors: StateDict, name: str, disable_dynamic: bool
) -> comfy.sd.CLIP:
    """The host's CLIP of the tower in a file."""
    sizes = text_sizes(tensors, tower, name=name)
    # The host itself leaves out the last layer.
    settings = {**sizes, "num_hidden_layers": sizes["num_hidden_layers"] + 1}
    state_dict = _host_names(tensors, tower)
    _add_unread(state_dict, sizes)
    options = {f"{CLIP}_model_config": settings}
    more = {"disable_dynamic": True} if disable_dynamic else {}
    with building(name):
        target = ClipTarget(sd2.SD2Tokenizer, sd2.SD2ClipModel)
        clip = build_clip(target, state_dict, options, more)
    check_keys(state_dict, shapes(meant_tensors(clip.cond_stage_model)), name=name)
    return clip


def _host_names(tensors: StateDict, tower: Tower) -> StateDict:
    """The tensors of a tower by their names in the host's CLIP."""
    start = len(tower.prefix)
    own = {key[start:]: x for key, x in tensors.items() if key.startswith(tower.prefix)}
    if not tower.is_open_clip:
        found = {f"{TEXT}{key}": x for key, x in own.items() if not key.endswith(NUMBERED)}
        projection = f"{tower.prefix.removesuffix('text_model.')}{WHOLE_TEXT}.weight"
        return found | {PROJECTION: tensors[projection]} if projection in tensors else found
    named = {f"{CLIP}.{key}": x for key, x in own.items() if not key.startswith(VISUAL)}
    return comfy.utils.clip_text_transformers_convert(named, f"{CLIP}.", f"{CLIP}.transformer.")


def _add_unread(state_dict: StateDict, sizes: dict) -> None:
    """Add tensors that the host has and does not read: a cut text encoder lacks them."""
    count, width = sizes["num_hidden_layers"], sizes["hidden_size"]
    before, last = (f"{TEXT}encoder.layers.{number}." for number in (count - 1, count))
    if not any(key.startswith(last) for key in state_dict):
        layer = {key: x for key, x in state_dict.items() if key.startswith(before)}
        state_dict |= {last + key.removeprefix(before): x for key, x in layer.items()}
    state_dict.setdefault(PROJECTION, torch.eye(width))
    state_dict.setdefault(f"{CLIP}.logit_scale", torch.zeros(()))


def load_image_encoder(tensors: StateDict, name: str) -> comfy.clip_vision.ClipVisionModel:
    """CLIP's image encoder.

    Args:
        tensors: under the names of OpenCLIP.
        name: of the file, for messages.
    """
    with building(name):
        projection = tensors[f"{VISUAL}proj"].shape[1]
    settings = {
        **vision_sizes(tensors, Tower(VISUAL, is_open_clip=True), name=name),
        "model_type": "clip_vision_model",
        "num_channels": 3,
        "projection_dim": projection,
    }
    encoder = build_image_encoder(settings, name)
    visual = {key: value for key, value in tensors.items() if key.startswith(VISUAL)}
    state_dict = comfy.clip_vision.convert_to_transformers(visual, VISUAL)
    meant = meant_tensors(encoder.model)
    check_keys(state_dict, shapes(meant), name=name)
    encoder.load_sd(converted(state_dict, meant))
    return encoder


def load_vae(tensors: StateDict, name: str) -> comfy.sd.VAE:
    """The VAE of Stable Diffusion, in the sizes of the file."""
    with building(name):
        sizes = {"embed_dim": 4, "ddconfig": read_autoencoder_sizes(tensors)}
        with torch.device("meta"):
            expected = autoencoder.AutoencoderKL(**sizes).state_dict()
    check_keys(tensors, shapes(expected), name=name)
    return comfy.sd.VAE(sd=tensors, config={"params": sizes})


def open_vae(path: str) -> comfy.sd.VAE:
    """The VAE of Stable Diffusion of a file that holds it alone.

    Args:
        path: with the names of Stable Diffusion, after any prefix, or of diffusers.

    Raises:
        UserError: the file can't be read, is quantised, or holds no such VAE.
    """
    name = Path(path).name
    tensors, notes = load_weights(path)
    refuse_quantised(tensors, notes, name=name)
    prefix = find_prefix(tensors, VAE_MARK)
    if prefix is None:
        raise UserError(
            f"{name} is {describe_kind(tensors)}, but a VAE is needed: use that of ModelScope or "
            "of Stable Diffusion 1 or 2."
        )
    own = {key.removeprefix(prefix): x for key, x in tensors.items() if key.startswith(prefix)}
    if FROM_DIFFUSERS in own:
        own = diffusers_convert.convert_vae_state_dict(own)
    return load_vae(own, name)
