"""The encoders and the VAE in a checkpoint of DynamiCrafter, as the host's own types."""

import inspect

import comfy.clip_vision
import comfy.ldm.models.autoencoder as autoencoder
import comfy.sd
import comfy.text_encoders.sd2_clip as sd2
import comfy.utils
import folder_paths
import torch
from comfy.supported_models_base import ClipTarget

from ....fcvg_core.models.kinds import check_keys
from ....fcvg_core.weights import StateDict
from ..encoders import build_image_encoder, read_autoencoder_sizes
from ..files import building
from ..patchers import converted, meant_tensors, shapes

TEXT_HEAD, IMAGE_HEAD = 64, 80  # channels of an attention head in OpenCLIP's ViT-H-14
VISUAL = "visual."


def load_text_encoder(tensors: StateDict, name: str, disable_dynamic: bool) -> comfy.sd.CLIP:
    """The text encoder of SD 2, which stops before its last layer.

    Args:
        tensors: under the names of OpenCLIP.
        name: of the file, for messages.
        disable_dynamic: see `can_load_again`.
    """
    with building(name):
        settings = _text_settings(tensors)
    prefix = "clip_h."
    state_dict = {f"{prefix}{key}": value for key, value in tensors.items()}
    state_dict = comfy.utils.clip_text_transformers_convert(
        state_dict, prefix, f"{prefix}transformer."
    )
    options = {"clip_h_model_config": settings}
    more = {"disable_dynamic": True} if disable_dynamic else {}
    with building(name):
        clip = _load_clip(state_dict, options, more)
    check_keys(state_dict, shapes(meant_tensors(clip.cond_stage_model)), name=name)
    return clip


def _load_clip(state_dict: StateDict, options: dict, more: dict) -> comfy.sd.CLIP:
    """The host's CLIP. Older hosts load weights into it later than newer hosts do."""
    given = {
        "target": ClipTarget(sd2.SD2Tokenizer, sd2.SD2ClipModel),
        "embedding_directory": folder_paths.get_folder_paths("embeddings"),
        "parameters": comfy.utils.calculate_parameters(state_dict),
        "model_options": options,
        **more,
    }
    if "state_dict" in inspect.signature(comfy.sd.CLIP).parameters:
        return comfy.sd.CLIP(**given, state_dict=state_dict)
    clip = comfy.sd.CLIP(**given)
    clip.load_sd(state_dict, full_model=True)
    return clip


def load_image_encoder(tensors: StateDict, name: str) -> comfy.clip_vision.ClipVisionModel:
    """CLIP's image encoder.

    Args:
        tensors: under the names of OpenCLIP.
        name: of the file, for messages.
    """
    with building(name):
        settings = _image_settings(tensors)
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


def _text_settings(tensors: StateDict) -> dict:
    """Sizes of the text encoder, under the names of CLIP's config.json."""
    width = tensors["ln_final.weight"].shape[0]
    return {
        "hidden_size": width,
        "intermediate_size": 4 * width,
        "num_attention_heads": width // TEXT_HEAD,
        "num_hidden_layers": _count_layers(tensors, ""),
    }


def _image_settings(tensors: StateDict) -> dict:
    """Settings of the image encoder, under the names of CLIP's config.json."""
    width, projection = tensors[f"{VISUAL}proj"].shape
    patch = tensors[f"{VISUAL}conv1.weight"].shape[-1]
    across = round((len(tensors[f"{VISUAL}positional_embedding"]) - 1) ** 0.5)
    return {
        "model_type": "clip_vision_model",
        "hidden_act": "gelu",
        "hidden_size": width,
        "image_size": patch * across,
        "intermediate_size": 4 * width,
        "num_attention_heads": width // IMAGE_HEAD,
        "num_channels": 3,
        "num_hidden_layers": _count_layers(tensors, VISUAL),
        "patch_size": patch,
        "projection_dim": projection,
    }


def _count_layers(tensors: StateDict, prefix: str) -> int:
    """Number of layers of one of CLIP's encoders."""
    count = 0
    while f"{prefix}transformer.resblocks.{count}.ln_1.weight" in tensors:
        count += 1
    return count
