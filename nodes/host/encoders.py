"""The host's encoders of pictures and texts, in sizes that the host itself does not detect."""

import inspect
import json
import os

import comfy.clip_vision
import comfy.ldm.models.autoencoder as autoencoder
import comfy.sd
import comfy.utils
import folder_paths
import torch
from comfy.supported_models_base import ClipTarget

from ...fcvg_core.weights import StateDict
from .files import building


def build_image_encoder(settings: dict, name: str) -> comfy.clip_vision.ClipVisionModel:
    """The host's CLIP without weights. Older hosts read settings only from a file: they get a pipe.

    Args:
        settings: sizes, under the names of CLIP's config.json.
        name: of the file that describes them, for messages.
    """
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as file:
        json.dump(settings, file)
    with building(name):
        return comfy.clip_vision.ClipVisionModel(reading)  # which closes it


def build_clip(
    target: ClipTarget, state_dict: StateDict, options: dict, more: dict
) -> comfy.sd.CLIP:
    """The host's CLIP with weights. Older hosts load weights into it later than newer hosts do.

    Args:
        target: classes of the tokenizer and of the network.
        state_dict: tensors by the names of the network.
        options: the host's model_options.
        more: what only newer hosts know.
    """
    given = {
        "target": target,
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


def autoencoder_sizes(base: int, multiples: tuple[int, ...], depth: int) -> dict:
    """Sizes of an SD autoencoder, under the host's names.

    Args:
        base: channels at full resolution.
        multiples: for each level, its channels as a multiple of the base.
        depth: residual blocks of each level.
    """
    return {
        "double_z": True,
        "z_channels": 4,
        "resolution": 256,
        "in_channels": 3,
        "out_ch": 3,
        "ch": base,
        "ch_mult": list(multiples),
        "num_res_blocks": depth,
        "attn_resolutions": [],
        "dropout": 0.0,
    }


def smallest_autoencoder() -> dict:
    """Arguments of the host's VAE for the smallest network that it can build.

    The host's own detection knows few networks. A loader of another network lets the host build
    this one, and then replaces it: devices, number formats and memory estimates stay those that
    the host chose.
    """
    params = {"embed_dim": 4, "ddconfig": autoencoder_sizes(32, (1,), 1)}
    return {"sd": autoencoder.AutoencoderKL(**params).state_dict(), "config": {"params": params}}


def read_autoencoder_sizes(state_dict: dict[str, torch.Tensor]) -> dict:
    """`autoencoder_sizes` of a file's tensors, in the host's names."""
    base = state_dict["encoder.conv_in.weight"].shape[0]
    widths = _count(state_dict, "encoder.down.{}.block.0.conv2.weight")
    depth = len(_count(state_dict, "encoder.down.0.block.{}.conv2.weight"))
    return autoencoder_sizes(base, tuple(width // base for width in widths), depth)


def _count(state_dict: dict[str, torch.Tensor], pattern: str) -> list[int]:
    """First sizes of the tensors that `pattern` numbers from 0 on."""
    found = []
    while (key := pattern.format(len(found))) in state_dict:
        found.append(state_dict[key].shape[0])
    return found
