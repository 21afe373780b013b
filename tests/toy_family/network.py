"""The toy's network, its sizes, and its key names."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fcvg_core.models.kinds import check_keys
from fcvg_core.weights import StateDict


@dataclass(frozen=True)
class Config:
    """Sizes of the network."""

    channels: int = 3


class Brightener(nn.Module):
    """Multiplies and shifts each channel of a picture."""

    def __init__(self, config: Config, *, operations=nn, dtype=None, device=None):
        super().__init__()
        self.mix = operations.Conv2d(3, config.channels, 1, dtype=dtype, device=device)

    def forward(self, frames: Tensor) -> Tensor:
        """[T, 3, H, W] in 0..1 -> [T, channels, H, W] in 0..1."""
        return self.mix(frames).clamp(0, 1)


def rename(state_dict: StateDict) -> StateDict:
    """The published key names -> the names used here."""
    return {key.removeprefix("toy."): value for key, value in state_dict.items()}


def build(state_dict: StateDict, *, name: str, operations=nn) -> Brightener:
    """The network of a file.

    Raises:
        UserError: the file is not the toy's.
    """
    state_dict = rename(state_dict)
    network = Brightener(Config(), operations=operations)
    check_keys(state_dict, {k: tuple(v.shape) for k, v in network.state_dict().items()}, name=name)
    network.load_state_dict(state_dict)
    return network.requires_grad_(False).eval()


def weights(brightness: float) -> StateDict:
    """What the toy's authors publish."""
    return {
        "toy.mix.weight": brightness * torch.eye(3).reshape(3, 3, 1, 1),
        "toy.mix.bias": torch.zeros(3),
    }
