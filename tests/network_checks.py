"""Checks that hold for the networks of every family."""

import torch
from torch import Tensor, nn


def shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    """Shape of every tensor by its name."""
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def unused_tensors(network: nn.Module, out: Tensor) -> list[str]:
    """Names of a network's parameters that its output does not depend on, biases too.

    The gradient of a random projection of the output is zero for these parameters.
    """
    network.zero_grad()
    (out * torch.randn(out.shape, generator=torch.Generator().manual_seed(2))).sum().backward()
    names = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().max() > 1e-7
    ]
    network.zero_grad()
    return names


def casting(layer: type[nn.Module]) -> type[nn.Module]:
    """A layer that keeps its weights in another format than it computes in, as ComfyUI's do."""

    class Casting(layer):
        def forward(self, hidden):
            kept = {parameter: parameter.data for parameter in self.parameters()}
            for parameter in kept:
                parameter.data = parameter.data.to(hidden)
            out = super().forward(hidden)
            for parameter, data in kept.items():
                parameter.data = data
            return out

    return Casting


class CastingOperations:
    """All layers that ComfyUI gives, and no others."""


for _name in ("Linear", "Conv1d", "Conv2d", "Conv3d", "GroupNorm", "LayerNorm"):
    setattr(CastingOperations, _name, casting(getattr(nn, _name)))


class Header:
    """A tensor of which only the shape is known."""

    dtype = torch.float32
    is_meta = True

    def __init__(self, shape: tuple[int, ...]):
        self.shape = shape
        self.ndim = len(shape)
