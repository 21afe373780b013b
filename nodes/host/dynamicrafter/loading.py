"""Files of DynamiCrafter -> the host's MODEL, CLIP, CLIP_VISION and VAE, and the image projector.

Layer sizes come from the tensors' shapes, so a tiny model runs the same code as the real one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import comfy.clip_vision
import comfy.model_management as mm
import comfy.ops
import comfy.sd
import comfy.utils
import torch
from comfy.model_patcher import ModelPatcher

from ....fcvg_core.models.dynamicrafter.keys import (
    CheckpointParts,
    find_variant,
    projector_config,
    split_checkpoint,
    unet3d_config,
)
from ....fcvg_core.models.dynamicrafter.projector import ImageProjector, ProjectorConfig
from ....fcvg_core.models.dynamicrafter.variants import Variant
from ....fcvg_core.weights import StateDict
from ..files import load_weights
from ..model_building import build_model
from ..patchers import can_load_again, fill, make_patcher, meant_tensors, without_streaming
from ..quantised import refuse_quantised
from ..unet3d.control import cut_control_to_windows
from ..unet3d.encoders import load_image_encoder, load_text_encoder, load_vae
from .model import DynamiCrafterConfig

CHOOSE_VARIANT = "set variant of Load DynamiCrafter to {}"  # see CHOOSE of the core's `names`
WHOLE = ("model", "clip", "clip_vision", "vae", "projector")
UNET = ("model", "projector")


@dataclass(frozen=True, eq=False)
class Projector:
    """Turns CLIP's tokens of a picture into image tokens; the value of the socket.

    Attributes:
        patcher: holds a `HostProjector`.
        variant: the published model that the projector belongs to.
    """

    patcher: ModelPatcher
    variant: Variant


@dataclass(frozen=True, eq=False)
class Loaded:
    """What a file holds; None for a part that it lacks or that was not asked for."""

    model: ModelPatcher
    clip: comfy.sd.CLIP | None = None
    clip_vision: comfy.clip_vision.ClipVisionModel | None = None
    vae: comfy.sd.VAE | None = None
    projector: Projector | None = None


class HostProjector(ImageProjector):
    """The image projector made of the host's layers.

    Args:
        compute_dtype: number format of the activations; the layers convert their weights to it.
    """

    def __init__(
        self, config: ProjectorConfig, *, operations, dtype: torch.dtype, compute_dtype: torch.dtype
    ):
        super().__init__(config, operations=operations, dtype=dtype)
        self.compute_dtype = compute_dtype


def load_checkpoint(path: str, variant: str, weight_dtype: str) -> Loaded:
    """All parts of an official or pruned checkpoint.

    Args:
        variant: a key of VARIANTS, or "auto"; see `find_variant`.
        weight_dtype: a key of WEIGHT_DTYPES, for the UNet.

    Raises:
        UserError: the file is not DynamiCrafter's, is quantised, or lacks a tensor.
    """
    return _load(path, variant, weight_dtype, WHOLE)


def load_unet(path: str, variant: str, weight_dtype: str) -> Loaded:
    """UNet and image projector alone; see `load_checkpoint`."""
    return _load(path, variant, weight_dtype, UNET)


def _load(path: str, variant: str, weight_dtype: str, names: Iterable[str]) -> Loaded:
    parts, model = _open(path, variant)
    loaded = {name: _build(name, parts, model, Path(path).name, weight_dtype) for name in names}
    for name, part in loaded.items():
        if part is not None:
            patcher = getattr(part, "patcher", part)
            can_load_again(patcher, _load_again, path, model.word, weight_dtype, name)
    return Loaded(**loaded)


def _load_again(
    path: str, variant: str, weight_dtype: str, name: str, disable_dynamic: bool = False
) -> ModelPatcher:
    """Load one part again, and return its patcher."""
    parts, model = _open(path, variant)
    part = _build(name, parts, model, Path(path).name, weight_dtype, disable_dynamic)
    patcher = getattr(part, "patcher", part)
    return can_load_again(patcher, _load_again, path, variant, weight_dtype, name)


def _open(path: str, variant: str) -> tuple[CheckpointParts, Variant]:
    """The tensors of a file by part, and the published model that it is."""
    name = Path(path).name
    state_dict, notes = load_weights(path)
    refuse_quantised(state_dict, notes, name=name)
    parts = split_checkpoint(state_dict, name=name)
    # The folder of an official file tells the model, the file itself is called model.ckpt.
    told = "/".join(Path(path).parts[-2:])
    return parts, find_variant(parts, name=told, chosen=variant, choose=CHOOSE_VARIANT)


def _build(
    part: str,
    parts: CheckpointParts,
    variant: Variant,
    name: str,
    weight_dtype: str,
    disable_dynamic: bool = False,
):
    """One field of `Loaded`."""
    if part == "model":
        return _build_model(parts.unet, variant, name, weight_dtype, disable_dynamic)
    if part == "projector" and parts.projector:
        patcher = _build_projector(parts.projector, name, disable_dynamic)
        return Projector(patcher, variant)
    if part == "clip" and parts.text:
        return load_text_encoder(parts.text, name, disable_dynamic)
    if part == "clip_vision" and parts.vision:
        return without_streaming(load_image_encoder(parts.vision, name), disable_dynamic)
    if part == "vae" and parts.vae:
        return without_streaming(load_vae(parts.vae, name), disable_dynamic)
    return None


def _build_model(
    state_dict: StateDict, variant: Variant, name: str, weight_dtype: str, disable_dynamic: bool
) -> ModelPatcher:
    """The model in the number format that suits the device, or that the user chose."""
    config = DynamiCrafterConfig(unet3d_config(state_dict, name=name), variant)
    patcher = build_model(
        config,
        state_dict,
        name=name,
        weight_dtype=weight_dtype,
        disable_dynamic=disable_dynamic,
    )
    cut_control_to_windows(patcher)
    return patcher


def _build_projector(state_dict: StateDict, name: str, disable_dynamic: bool) -> ModelPatcher:
    config = projector_config(state_dict, name=name)
    device, offload = mm.get_torch_device(), mm.unet_offload_device()
    dtype = mm.unet_dtype(weight_dtype=comfy.utils.weight_dtype(state_dict))
    cast = mm.unet_manual_cast(dtype, device)
    network = HostProjector(
        config,
        operations=comfy.ops.pick_operations(dtype, cast, load_device=device),
        dtype=dtype,
        compute_dtype=cast or dtype,
    )
    patcher = make_patcher(network.eval(), device, offload, disable_dynamic=disable_dynamic)
    fill(patcher, network.requires_grad_(False), state_dict, meant_tensors(network))
    return patcher
