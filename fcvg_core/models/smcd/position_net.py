"""PositionNet: the box and the label of each object -> a token for the UNet's gate.

Attribute names are the checkpoint's.

Source: "Animate Your Motion" (arXiv 2403.10179), after GLIGEN (arXiv 2301.07093);
Mingxiao-Li/Animate-Your-Motion models/position_net.py.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

FREQUENCIES = 8  # at which sines and cosines tell where a corner is
HIGHEST = 100.0  # factor of the highest frequency, which the last of the eight stays below
SIDES = 4  # x1, y1, x2, y2
POSITION_CHANNELS = 2 * FREQUENCIES * SIDES
HIDDEN_CHANNELS = 512  # whatever the other sizes are


@dataclass(frozen=True, kw_only=True)
class PositionNetConfig:
    """Sizes of the network; the defaults are the published ones.

    Attributes:
        in_channels: width of a label's embedding.
        out_channels: width of a token.
    """

    in_channels: int = 1024
    out_channels: int = 1024


class PositionNet(nn.Module):
    """Boxes and embedded labels -> tokens; objects that are not there get learned features.

    Args:
        operations: the module that layers come from; a host may put in its own.
    """

    def __init__(
        self,
        config: PositionNetConfig,
        *,
        operations=nn,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ):
        super().__init__()
        make = {"dtype": dtype, "device": device}
        self.config = config
        self.null_positive_feature = nn.Parameter(torch.zeros(config.in_channels, **make))
        self.null_position_feature = nn.Parameter(torch.zeros(POSITION_CHANNELS, **make))
        self.linears = nn.Sequential(
            operations.Linear(config.in_channels + POSITION_CHANNELS, HIDDEN_CHANNELS, **make),
            nn.SiLU(),
            operations.Linear(HIDDEN_CHANNELS, HIDDEN_CHANNELS, **make),
            nn.SiLU(),
            operations.Linear(HIDDEN_CHANNELS, config.out_channels, **make),
        )

    def forward(self, boxes: Tensor, present: Tensor, labels: Tensor) -> Tensor:
        """Tokens of the objects in frames.

        Args:
            boxes: [N, m, 4] corners x1, y1, x2, y2 as shares of width and height, 0..1.
            present: [N, m], 1 for an object that a frame shows, otherwise 0. The box and the label
                of an object that is not there do not count.
            labels: [N, m, in_channels] embedded labels, whose number format is computed with.

        Returns:
            [N, m, out_channels].
        """
        there = present[..., None] != 0
        positions = box_features(boxes).to(labels)
        features = torch.cat(
            [
                torch.where(there, labels, self.null_positive_feature.to(labels)),
                torch.where(there, positions, self.null_position_feature.to(labels)),
            ],
            dim=-1,
        )
        return self.linears(features)


def box_features(boxes: Tensor) -> Tensor:
    """Sinusoidal features of corners.

    Args:
        boxes: [..., 4], shares 0..1.

    Returns:
        [..., 64] float32: for each frequency the sines of the four numbers, then their cosines.
    """
    exponents = torch.arange(FREQUENCIES, device=boxes.device) / FREQUENCIES
    angles = HIGHEST ** exponents[:, None] * boxes.float()[..., None, :]
    return torch.stack([angles.sin(), angles.cos()], dim=-2).flatten(-3)
