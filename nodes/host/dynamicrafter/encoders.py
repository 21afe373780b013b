"""The encoders and the VAE in a checkpoint of DynamiCrafter, as the host's own types."""

import comfy.clip_vision
import comfy.ldm.models.autoencoder as autoencoder
import comfy.sd
import comfy.text_encoders.sd2_clip as sd2
import comfy.utils
import torch
from comfy.supported_models_base import ClipTarget

from ....fcvg_core.models.dynamicrafter.towers import Tower, text_sizes, vision_sizes
from ....fcvg_core.models.kinds import check_keys
from ....fcvg_core.weights import StateDict
from ..encoders import build_clip, build_image_encoder, read_autoencoder_sizes
from ..files import building
from ..patchers import converted, meant_tensors, shapes

VISUAL = "visual."


def load_text_encoder(tensors: StateDict, name: str, disable_dynamic: bool) -> comfy.sd.CLIP:
    """The text encoder of SD 2, which stops before its last layer.

    Args:
        tensors: under the names of OpenCLIP.
        name: of the file, for messages.
        disable_dynamic: see `can_load_again`.
    """
    tower = Tower("", is_open_clip=True)
    # The host itself leaves out the last layer.
    layers = {"num_hidden_layers": tower.count_layers(tensors)}
    settings = {**text_sizes(tensors, tower, name=name), **layers}
    prefix = "clip_h."
    state_dict = {f"{prefix}{key}": value for key, value in tensors.items()}
    state_dict = comfy.utils.clip_text_transformers_convert(
        state_dict, prefix, f"{prefix}transformer."
    )
    options = {"clip_h_model_config": settings}
    more = {"disable_dynamic": True} if disable_dynamic else {}
    with building(name):
        target = ClipTarget(sd2.SD2Tokenizer, sd2.SD2ClipModel)
        clip = build_clip(target, state_dict, options, more)
    check_keys(state_dict, shapes(meant_tensors(clip.cond_stage_model)), name=name)
    return clip


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
