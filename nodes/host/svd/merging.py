"""Replaces weights of a base model, and keeps the base model's LoRAs, patches and options."""

import logging
import uuid

import torch
from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import WrappersMP
from torch import Tensor, nn

from ..quantised import is_extra

UNET_PREFIX = "diffusion_model."
# Attributes of a patcher that belong to its network and can't be used with another network.
_OF_THE_NETWORK = (
    "model",
    "backup",
    "backup_buffers",
    "object_patches_backup",
    "hook_backup",
    "pinned",
)


def merge_weights(base: ModelPatcher, state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """UNet weights of a file; tensors that the file lacks come from the base model, without LoRAs.

    Raises:
        ValueError: the base model's weights are quantised.
    """
    merged = {**_own_weights(base), **state_dict}
    types = {type(value) for value in merged.values()}
    if any(map(is_extra, merged)) or not types <= {Tensor, nn.Parameter}:
        raise ValueError(
            "The base model's weights are quantised, so a part of a UNet can't replace some of "
            "them: load the base model in fp16, fp32 or plain fp8."
        )
    return merged


def _own_weights(base: ModelPatcher) -> dict[str, Tensor]:
    """UNet weights without patches, in main memory; the patcher keeps their backups."""
    own = {}
    for key, value in base.model_state_dict(UNET_PREFIX).items():
        if key in base.backup:
            value = base.backup[key].weight
        elif key in base.hook_backup:
            value = base.hook_backup[key][0]
        if value.is_meta:  # the host uses zeros for such a tensor, too
            value = torch.zeros(value.shape, dtype=value.dtype)
        own[key.removeprefix(UNET_PREFIX)] = value.detach().to("cpu")
    return own


def take_place_of(base: ModelPatcher, patcher: ModelPatcher) -> ModelPatcher:
    """A clone of `base`, with its LoRAs, patches and options, but with the network of `patcher`."""
    if hasattr(base, "get_clone_model_override"):
        clone = base.clone(model_override=patcher.get_clone_model_override())
        clone.hook_backup = patcher.hook_backup
    else:
        clone = base.clone()
        for name in _OF_THE_NETWORK:
            if hasattr(patcher, name):
                setattr(clone, name, getattr(patcher, name))
    clone.size = 0  # the host computes the size again
    clone.parent = None  # the host assumes that a clone has its parent's network
    clone.clone_base_uuid = uuid.uuid4()  # the host assumes the same for clones with equal ids
    clone.cached_patcher_init = getattr(patcher, "cached_patcher_init", None)
    if clone.additional_models.get("multigpu"):
        logging.warning(
            "The base model's copies on other GPUs are not used: split the new model again."
        )
        clone.remove_additional_models("multigpu")
    return clone


def refuse_modules(base: ModelPatcher) -> None:
    """Raise ValueError if a node has replaced modules of the base model's network.

    Such modules hold weights of the base model, which would be used instead of the new weights.
    """
    compiled = "torch.compile" in base.wrappers.get(WrappersMP.APPLY_MODEL, {})
    parts = [
        key
        for key, value in base.object_patches.items()
        if f"{key}.".startswith(UNET_PREFIX) and isinstance(value, nn.Module)
    ]
    if compiled or parts:
        raise ValueError(
            "The base model is compiled, or a node has replaced modules of it "
            f"({', '.join(parts) or 'torch.compile'}), which hold its old weights: connect this "
            "node after Load FCVG Model."
        )


def load_base_again(how: tuple, disable_dynamic: bool) -> ModelPatcher:
    """Load the base model again; `how` is a function, its arguments, and which output to use."""
    load, arguments, *which = how
    loaded = load(*arguments, **({"disable_dynamic": True} if disable_dynamic else {}))
    return loaded[which[0]] if which else loaded
