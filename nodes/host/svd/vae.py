"""SVD's VAE in the host: loaded for a chunk of frames, and run in a number format."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import comfy.model_management as mm
import comfy.sd
import torch
from torch import nn


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error says that a card's memory ran out; newer torch has two error classes."""
    if hasattr(mm, "is_oom"):
        return mm.is_oom(error)
    late = isinstance(error, getattr(torch, "AcceleratorError", ()))
    return isinstance(error, mm.OOM_EXCEPTION) or (late and "out of memory" in str(error).lower())


@contextmanager
def running(vae: comfy.sd.VAE, dtype: torch.dtype, *, needed: float) -> Iterator[nn.Module]:
    """The VAE's network on its device, ready for input of a number format.

    Args:
        needed: memory that the work takes, in bytes.
    """
    mm.throw_exception_if_processing_interrupted()
    mm.load_models_gpu([vae.patcher], memory_required=needed)
    network = vae.first_stage_model
    on_card = getattr(mm, "cuda_device_context", nullcontext)
    convert = nullcontext() if dtype == vae.vae_dtype else _weights_follow_input(network)
    with on_card(vae.device), convert:
        yield network


@contextmanager
def _weights_follow_input(network: nn.Module) -> Iterator[None]:
    """Let the host's layers convert each weight to the input's number format while it is used.

    The weights themselves are not converted: where the host streams weights, they are memory maps
    of a file, or lie on the card only while they are used.
    """
    layers = [m for m in network.modules() if hasattr(m, "comfy_cast_weights")]
    before = [vars(layer).get("comfy_cast_weights") for layer in layers]
    try:
        for layer in layers:
            layer.comfy_cast_weights = True
        yield
    finally:
        for layer, value in zip(layers, before, strict=True):
            if value is None:
                del layer.comfy_cast_weights
            else:
                layer.comfy_cast_weights = value
