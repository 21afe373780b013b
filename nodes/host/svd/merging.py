"""A model in the place of another: its weights, and what the other one carries besides."""

import logging
import uuid

import torch
from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import WrappersMP
from torch import Tensor, nn

from ..quantised import is_extra

UNET_PREFIX = "diffusion_model."
# What a patcher keeps about the network that it patches, so it can't be shared with another one.
_OF_THE_NETWORK = (
    "model",
    "backup",
    "backup_buffers",
    "object_patches_backup",
    "hook_backup",
    "pinned",
)


def merge_weights(base: ModelPatcher, state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """The base's own UNet weights, without any LoRA, and in their place those of a file.

    Raises:
        ValueError: the base's weights are no plain numbers.
    """
    merged = {**_own_weights(base), **state_dict}
    types = {type(value) for value in merged.values()}
    if any(map(is_extra, merged)) or not types <= {Tensor, nn.Parameter}:
        raise ValueError(
            "The base model's weights are quantised, and a part of a UNet can't be put among "
            "those: load the base model in fp16, fp32 or plain fp8."
        )
    return merged


def _own_weights(base: ModelPatcher) -> dict[str, Tensor]:
    """UNet weights as they were loaded, in main memory; the patcher keeps those it has patched."""
    own = {}
    for key, value in base.model_state_dict(UNET_PREFIX).items():
        if key in base.backup:
            value = base.backup[key].weight
        elif key in base.hook_backup:
            value = base.hook_backup[key][0]
        if value.is_meta:  # what the host would take in its place
            value = torch.zeros(value.shape, dtype=value.dtype)
        own[key.removeprefix(UNET_PREFIX)] = value.detach().to("cpu")
    return own


def take_place_of(base: ModelPatcher, patcher: ModelPatcher) -> ModelPatcher:
    """A clone of `base`, with its LoRAs, patches and options, around another model's network."""
    if hasattr(base, "get_clone_model_override"):
        clone = base.clone(model_override=patcher.get_clone_model_override())
        clone.hook_backup = patcher.hook_backup
    else:
        clone = base.clone()
        for name in _OF_THE_NETWORK:
            if hasattr(patcher, name):
                setattr(clone, name, getattr(patcher, name))
    clone.size = 0  # counted again when it is asked for
    clone.parent = None  # the host takes a parent for the same network
    clone.clone_base_uuid = uuid.uuid4()  # and so clones of one origin
    clone.cached_patcher_init = getattr(patcher, "cached_patcher_init", None)
    if clone.additional_models.get("multigpu"):
        logging.warning("The base model's copies on other cards are left out: split it again.")
        clone.remove_additional_models("multigpu")
    return clone


def refuse_modules(base: ModelPatcher) -> None:
    """Raise ValueError where a node put modules of its own into the base's network.

    They hold the base's weights, and would be used in place of the new ones.
    """
    compiled = "torch.compile" in base.wrappers.get(WrappersMP.APPLY_MODEL, {})
    parts = [
        key
        for key, value in base.object_patches.items()
        if f"{key}.".startswith(UNET_PREFIX) and isinstance(value, nn.Module)
    ]
    if compiled or parts:
        raise ValueError(
            "The base model is compiled, or a node has exchanged modules of it "
            f"({', '.join(parts) or 'torch.compile'}), which hold its old weights: connect that "
            "node after Load FCVG Model."
        )


def load_base_again(how: tuple, disable_dynamic: bool) -> ModelPatcher:
    """The base once more, as its loader told the host: a function, arguments, and which output."""
    load, arguments, *which = how
    loaded = load(*arguments, **({"disable_dynamic": True} if disable_dynamic else {}))
    return loaded[which[0]] if which else loaded
