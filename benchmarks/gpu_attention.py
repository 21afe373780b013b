"""Seconds of the UNet's attention layers, by the way in which attention is computed."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from gpu_clock import time_calls
from gpu_weights import HEAD
from torch.nn import functional as F

SECONDS = 0.15  # for one shape in one way
MATH, MAX_SCORES = "math", 8 * 2**30  # only this way holds the matrix of all pairs of tokens
# Layers of the UNet with a spatial and a temporal attention, by the halving of the size: two on
# the way down and three on the way up. The middle has one.
LAYERS = {1: 5, 2: 5, 4: 5, 8: 1}
WIDTHS = {1: 1, 2: 2, 4: 4, 8: 4}  # multiples of the first channels


@dataclass(frozen=True)
class Layer:
    """Attention of queries [batch, heads, tokens, HEAD], and how often a pass computes it."""

    name: str
    shape: tuple[int, int, int, int]
    count: int

    @property
    def scores(self) -> int:
        """Bytes of the matrix of all pairs of tokens, in float32."""
        batch, heads, tokens, _ = self.shape
        return 4 * batch * heads * tokens**2


def layers_of(size: tuple[int, int], frames: int, channels: int) -> list[Layer]:
    """The attention layers of a pass; those over one token of CLIP are left out.

    Args:
        size: (height, width) of the latents.
        channels: of the UNet's first layer.
    """
    found = []
    for factor, count in LAYERS.items():
        pixels = -(-size[0] // factor) * -(-size[1] // factor)
        heads = channels * WIDTHS[factor] // HEAD
        found.append(Layer(f"space, {pixels} pixels", (frames, heads, pixels, HEAD), count))
        found.append(Layer(f"time, {pixels} pixels", (pixels, heads, frames, HEAD), count))
    return found


def time_attention(
    size: tuple[int, int], frames: int, channels: int, device: torch.device, dtype: torch.dtype
) -> dict:
    """Seconds of all attention layers of a pass, way by way and layer by layer.

    Args:
        size, frames, channels: see `layers_of`.

    Returns:
        "attention_s": way -> {layer: seconds of its `count` layers}; "not_here": way -> reason
        why the way can't compute a layer on this machine.
    """
    seconds: dict[str, dict[str, float]] = {}
    reasons: dict[str, str] = {}
    for layer in layers_of(size, frames, channels):
        drawn = [torch.randn(layer.shape, device=device, dtype=dtype) for _ in range(3)]
        for name, way in ways().items():
            try:
                if name == MATH and layer.scores > MAX_SCORES:
                    raise MemoryError(f"the scores of {layer.name} need too much memory")
                found = time_calls(lambda way=way, x=drawn: way(*x), device, seconds=SECONDS)
            except Exception as error:  # noqa: BLE001  kernels refuse shapes in many ways
                reasons.setdefault(name, str(error).splitlines()[0][:160])
                continue
            seconds.setdefault(name, {})[layer.name] = found * layer.count
    return {"attention_s": seconds, "not_here": reasons}


def ways() -> dict[str, Callable]:
    """Name -> function of query, key and value."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    def only(backend) -> Callable:
        def call(query, key, value):
            with sdpa_kernel(backend):
                return F.scaled_dot_product_attention(query, key, value)

        return call

    names = {
        "flash": "FLASH_ATTENTION",
        "efficient": "EFFICIENT_ATTENTION",
        "cuDNN": "CUDNN_ATTENTION",
        MATH: "MATH",
    }
    found = {"PyTorch's choice": F.scaled_dot_product_attention}
    found |= {
        name: only(getattr(SDPBackend, backend))
        for name, backend in names.items()
        if hasattr(SDPBackend, backend)
    }
    try:
        from sageattention import sageattn
    except ImportError:
        return found
    return {**found, "SageAttention": sageattn}
