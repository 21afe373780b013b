"""Networks as the host's own loaders hand them over: streamed where the host streams weights.

A host with dynamic VRAM builds linear layers without weights, keeps a file's tensors as memory
maps, and moves each weight to the card when it is used. Then a tensor has the file's number
format, and not the network's. So every tensor is converted here, before a network gets it.
"""

from collections.abc import Callable

import comfy.model_management as mm
import comfy.model_patcher
import torch
from comfy.model_patcher import ModelPatcher
from torch import Tensor, nn


def make_patcher(
    network: nn.Module,
    load_device: torch.device,
    offload_device: torch.device,
    *,
    disable_dynamic: bool = False,
) -> ModelPatcher:
    """The kind of patcher that the host uses now; the host decides that when it has started."""
    kind = getattr(comfy.model_patcher, "CoreModelPatcher", ModelPatcher)
    kind = ModelPatcher if disable_dynamic else kind
    return kind(network, load_device=load_device, offload_device=offload_device)


def is_dynamic(patcher: ModelPatcher) -> bool:
    """Whether the host streams the weights of a model; older hosts never do."""
    return hasattr(patcher, "is_dynamic") and patcher.is_dynamic()


def can_load_again(patcher: ModelPatcher, load: Callable, *arguments) -> ModelPatcher:
    """Tell the host how to load the same weights once more, for another device.

    Args:
        load: gives a patcher. It also takes `disable_dynamic`: True means no streaming.
    """
    patcher.cached_patcher_init = (load, arguments)
    return patcher


def meant_tensors(network: nn.Module, default: torch.dtype | None = None) -> dict[str, Tensor]:
    """Shape and number format that each tensor of a network is meant to have, without values.

    Args:
        default: the format of layers that wait for their weights and name no format.
    """
    default = default or torch.get_default_dtype()
    meant = {}
    for name, layer in network.named_modules():
        prefix = f"{name}." if name else ""
        unsaved = getattr(layer, "_non_persistent_buffers_set", ())
        own = [*layer.named_parameters(recurse=False)]
        own += [(key, x) for key, x in layer.named_buffers(recurse=False) if key not in unsaved]
        for key, value in own:
            meant[prefix + key] = torch.empty(value.shape, dtype=value.dtype, device="meta")
        for key, shape in _awaited(layer).items():
            dtype = getattr(layer, f"{key}_comfy_model_dtype", None) or default
            meant[prefix + key] = torch.empty(shape, dtype=dtype, device="meta")
    return meant


def _awaited(layer: nn.Module) -> dict[str, tuple[int, ...]]:
    """Shapes of what a linear layer of a streaming host lacks until a state dict fills it."""
    sizes = getattr(layer, "in_features", None), getattr(layer, "out_features", None)
    if None in sizes or getattr(layer, "weight", None) is not None:
        return {}
    awaited = {"weight": (sizes[1], sizes[0])}
    if getattr(layer, "bias", None) is None and getattr(layer, "comfy_need_lazy_init_bias", False):
        awaited["bias"] = (sizes[1],)
    return awaited


def shapes(tensors: dict[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Shape of each tensor."""
    return {key: tuple(value.shape) for key, value in tensors.items()}


def converted(state_dict: dict[str, Tensor], meant: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors in the number formats that they are meant to have.

    A tensor that has its format stays what it is, which may be a memory map of its file.
    """
    return {
        key: value.to(meant[key].dtype) if key in meant else value
        for key, value in state_dict.items()
    }


def fill(
    patcher: ModelPatcher,
    network: nn.Module,
    state_dict: dict[str, Tensor],
    meant: dict[str, Tensor],
    *,
    unconverted: frozenset[str] = frozenset(),
) -> None:
    """Give a network its checked tensors: as they are where the host streams, else as copies.

    Args:
        patcher: of the network, or of the model that the network is a part of.
        meant: from `meant_tensors`.
        unconverted: tensors whose format is not a plain number format.
    """
    if hasattr(mm, "archive_model_dtypes"):
        mm.archive_model_dtypes(network)  # a streaming host converts to these on the card
    plain = {key: value for key, value in meant.items() if key not in unconverted}
    # Beside packed weights lie tensors that the host's layers may not all take.
    strict = not unconverted
    network.load_state_dict(converted(state_dict, plain), strict=strict, assign=is_dynamic(patcher))
