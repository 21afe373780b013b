"""Wraps networks in the host's ModelPatcher; supports hosts that stream weights (dynamic VRAM).

A streaming host builds linear layers without weights, keeps the tensors of a file as memory maps,
and moves each weight to the GPU when it is used. Such a tensor has the number format of the file,
not of the network. So every tensor is converted here before a network gets it.
"""

import itertools
from collections.abc import Callable

import comfy.model_management as mm
import comfy.model_patcher
import torch
from comfy.model_patcher import ModelPatcher
from torch import Tensor, nn

from ...fcvg_core.choices import WEIGHT_FORMATS

# Number formats of a UNet's weights by the words that a user can choose; None suits the device.
WEIGHT_DTYPES = dict(
    zip(WEIGHT_FORMATS, (None, torch.float8_e4m3fn, torch.float8_e5m2), strict=True)
)


def make_patcher(
    network: nn.Module,
    load_device: torch.device,
    offload_device: torch.device,
    *,
    disable_dynamic: bool = False,
) -> ModelPatcher:
    """A patcher of the class that the host uses; the host chooses the class after its start."""
    kind = getattr(comfy.model_patcher, "CoreModelPatcher", ModelPatcher)
    kind = ModelPatcher if disable_dynamic else kind
    return kind(network, load_device=load_device, offload_device=offload_device)


def without_streaming(part, disable_dynamic: bool):
    """A part of the host, such as CLIP_VISION or VAE, whose patcher does not stream if asked so.

    Args:
        part: has a `patcher`, which may be replaced.
        disable_dynamic: see `can_load_again`.
    """
    if disable_dynamic:
        old = part.patcher
        # Tensors may still be memory maps: read-only, which a plain patcher does not expect.
        weights = {key: value.clone() for key, value in old.model.state_dict().items()}
        old.model.load_state_dict(weights, assign=True)
        part.patcher = make_patcher(
            old.model, old.load_device, old.offload_device, disable_dynamic=True
        )
    return part


def is_dynamic(patcher: ModelPatcher) -> bool:
    """Whether the host streams the weights of a model; older hosts never stream."""
    return hasattr(patcher, "is_dynamic") and patcher.is_dynamic()


def can_load_again(patcher: ModelPatcher, load: Callable, *arguments) -> ModelPatcher:
    """Tell the host how to load the same weights again, for example for another device.

    Args:
        patcher: the loaded model.
        load: returns a patcher when called with `arguments`. It also has the parameter
            `disable_dynamic`; True means no streaming.
    """
    patcher.cached_patcher_init = (load, arguments)
    return patcher


def meant_tensors(network: nn.Module, default: torch.dtype | None = None) -> dict[str, Tensor]:
    """Shape and number format that each tensor of a network should have, on the meta device.

    Args:
        network: the network, with or without weights.
        default: number format of layers without weights that do not state a format.
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
    """Shapes of the tensors that a streaming host's linear layer lacks before loading."""
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
    """The tensors, converted to the number formats in `meant`.

    A tensor that already has its format is not copied; it may be a memory map of its file.
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
    """Load checked tensors into a network. A streaming host uses them directly, others copy them.

    torch converts the copies one at a time, so that the converted weights do not exist twice.

    Args:
        patcher: patcher of the network, or of the model that contains the network.
        network: the network.
        state_dict: tensors by name.
        meant: from `meant_tensors`.
        unconverted: names of tensors whose format is not a plain number format.
    """
    if hasattr(mm, "archive_model_dtypes"):
        mm.archive_model_dtypes(network)  # a streaming host converts to these formats on the GPU
    assign = is_dynamic(patcher)
    # A streaming host's layers take a tensor as it is, also if they do not stream themselves.
    # Not `state_dict`, which layers that wait for packed weights can't give.
    there = itertools.chain(network.named_parameters(), network.named_buffers())
    copied = set() if assign else {key for key, _ in there}
    taken = {key: x for key, x in meant.items() if key not in copied and key not in unconverted}
    # A file with packed weights has further tensors, which not all of the host's layers know.
    strict = not unconverted
    network.load_state_dict(converted(state_dict, taken), strict=strict, assign=assign)
