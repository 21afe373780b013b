"""Model files -> the host's own MODEL, CLIP_VISION and VAE.

Layer sizes come from the tensors' shapes, so a tiny model runs the same code as the real one.
"""

import logging
import os

import comfy.clip_vision
import comfy.model_base
import comfy.model_detection
import comfy.ops
import comfy.sd
import comfy.supported_models
import comfy.utils
from comfy.model_patcher import ModelPatcher

from ....fcvg_core.errors import UserError
from ....fcvg_core.models.kinds import check_keys, describe_kind
from ....fcvg_core.models.svd import rename_unet
from ....fcvg_core.weights import StateDict
from ..files import load_weights
from ..model_building import build_model, fill_network
from ..patchers import can_load_again, is_dynamic, meant_tensors, shapes
from ..quantised import host_quantised, quantisation, refuse_quantised
from .encoders import load_image_encoder, load_vae
from .merging import load_base_again, merge_weights, refuse_modules, take_place_of

# Keys from which the layer sizes are read; a file without them is not an SVD UNet.
_UNET_MARKS = (
    "input_blocks.0.0.weight",
    "input_blocks.1.0.time_stack.in_layers.0.weight",
    "label_emb.0.0.weight",
    "middle_block.0.in_layers.0.weight",
    "out.2.weight",
)
# Tensor, its axis, and SVD's channels on this axis: the UNet takes the latents of the noisy video
# and of a keyframe, and gives the latents of the video.
_CHANNELS = (
    ("input_blocks.0.0.weight", 1, 8),
    ("out.2.weight", 0, 4),
    ("label_emb.0.0.weight", 1, 768),
)


def load_unet(path: str, base: ModelPatcher | None, weight_dtype: str) -> ModelPatcher:
    """FCVG's or ControlNeXt-SVD's UNet as the host's SVD model.

    Args:
        path: a whole file, or a partial file, whose missing tensors come from `base`.
        base: an SVD model; it is never changed. What it carries besides its weights (LoRAs,
            patches, options) acts on the new model too.
        weight_dtype: a key of WEIGHT_DTYPES, for a whole file. The tensors of a partial file get
            the formats of the base's tensors.
    """
    if base is None:
        return _load_whole(path, weight_dtype)
    if not isinstance(base.model, comfy.model_base.SVD_img2vid):
        raise UserError(
            f"The base model is {type(base.model).__name__}, but it has to be SVD: connect Load "
            "SVD or an SVD checkpoint."
        )
    refuse_modules(base)
    name = os.path.basename(path)
    state_dict, notes = load_weights(path)
    state_dict = rename_unet(state_dict)
    expected = meant_tensors(base.model.diffusion_model)
    if expected.keys() <= state_dict.keys():
        logging.info("%s is a whole UNet: it replaces the base model's weights.", name)
        patcher = _build_whole(state_dict, notes, name, weight_dtype, not is_dynamic(base))
        return take_place_of(base, can_load_again(patcher, _load_whole, path, weight_dtype))
    refuse_quantised(state_dict, notes, name=name)
    check_keys(state_dict, shapes(expected), name=name, partial=True)
    logging.info("%s replaces %d of %d tensors.", name, len(state_dict), len(expected))
    patcher = _build_merged(state_dict, base)
    if getattr(base, "cached_patcher_init", None) is not None:
        can_load_again(patcher, _load_merged, path, base.cached_patcher_init)
    return take_place_of(base, patcher)


def load_svd_encoders(folder: str) -> tuple[comfy.clip_vision.ClipVisionModel, comfy.sd.VAE]:
    """CLIP image encoder and VAE from a folder in diffusers' layout."""
    return load_image_encoder(folder), load_vae(folder)


def _load_whole(path: str, weight_dtype: str, disable_dynamic: bool = False) -> ModelPatcher:
    """The model from a whole UNet file, without a base model."""
    state_dict, notes = load_weights(path)
    name = os.path.basename(path)
    patcher = _build_whole(rename_unet(state_dict), notes, name, weight_dtype, disable_dynamic)
    return can_load_again(patcher, _load_whole, path, weight_dtype)


def _build_whole(
    state_dict: StateDict, notes: dict, name: str, weight_dtype: str, disable_dynamic: bool = False
) -> ModelPatcher:
    """The host's SVD with the file's layer sizes, in the number format that suits the device."""
    quantised = quantisation(state_dict, notes) is not None
    if quantised:
        state_dict = rename_unet(host_quantised(state_dict, notes, name=name))
    return build_model(
        _svd_config(state_dict, name),
        state_dict,
        name=name,
        weight_dtype=weight_dtype,
        quantised=quantised,
        disable_dynamic=disable_dynamic,
    )


def _build_merged(state_dict: StateDict, base: ModelPatcher) -> ModelPatcher:
    """A model like the base, but with some other weights, in the base's formats.

    The weights are merged instead of being added as patches: where the host streams weights, a
    patch on a lone parameter such as `mix_factor` has no effect.
    """
    merged = merge_weights(base, state_dict)
    model = base.model.model_config.get_model(merged, "", device=base.offload_device)
    patcher = type(base)(model, load_device=base.load_device, offload_device=base.offload_device)
    fill_network(patcher, merged, "The base model")
    return patcher


def _load_merged(path: str, base: tuple, disable_dynamic: bool = False) -> ModelPatcher:
    """Load the model of `_build_merged` again; `base` says how to load the base again."""
    state_dict, _ = load_weights(path)
    patcher = _build_merged(rename_unet(state_dict), load_base_again(base, disable_dynamic))
    return can_load_again(patcher, _load_merged, path, base)


def _svd_config(state_dict: StateDict, name: str) -> comfy.supported_models.SVD_img2vid:
    missing = [mark for mark in _UNET_MARKS if mark not in state_dict]
    try:
        sizes = None if missing else comfy.model_detection.detect_unet_config(state_dict, "")
    except Exception as error:  # the host raises many types for unexpected keys and shapes
        raise _no_svd(state_dict, name) from error
    if sizes is None:
        raise _no_svd(state_dict, name)
    for key, axis, channels in _CHANNELS:
        found = state_dict[key].shape[axis]
        if found != channels:
            raise UserError(
                f"{name} is no UNet of SVD's: {key} has {found} channels, but SVD's has "
                f"{channels}. Use unet.safetensors of FCVG or ControlNeXt-SVD."
            )
    return comfy.supported_models.SVD_img2vid(sizes)


def _no_svd(state_dict: StateDict, name: str) -> UserError:
    return UserError(
        f"{name} is {describe_kind(state_dict)}, but a whole SVD or FCVG UNet is needed. If it is "
        "a part of a UNet, connect the SVD model that the part belongs to as base_model."
    )
