"""The visual encoder: the latents of the first frame -> image tokens for the UNet's gate.

Attribute names are the checkpoint's.

Source: "Animate Your Motion" (arXiv 2403.10179); Mingxiao-Li/Animate-Your-Motion
modelscope_t2v/text_to_video_synthesis_model.py.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

KERNEL = 3  # rows and columns that every convolution sees


@dataclass(frozen=True, kw_only=True)
class VisualEncoderConfig:
    """Sizes of the network; the defaults are the published ones.

    Attributes:
        in_channels: channels of the latents.
        channels: of each level; the last is the width of a token.
        blocks: of each level. The first block of every level but the first halves the size.
    """

    in_channels: int = 4
    channels: tuple[int, ...] = (256, 512, 1024, 1024)
    blocks: int = 3


class VisualEncoder(nn.Module):
    """Latents of pictures -> tokens, one for each patch of 8 x 8 latents at four levels.

    Args:
        operations: the module that layers come from; a host may put in its own.
    """

    def __init__(
        self,
        config: VisualEncoderConfig,
        *,
        operations=nn,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ):
        super().__init__()
        make = {"dtype": dtype, "device": device}
        self.config = config
        widths = [config.channels[0], *config.channels]
        self.conv_in = _conv(config.in_channels, widths[0], operations, make)
        self.body = nn.ModuleList(
            VisualBlock(
                widths[level + 1] if i else widths[level],
                widths[level + 1],
                operations,
                make,
                halves=bool(level) and not i,
            )
            for level in range(len(config.channels))
            for i in range(config.blocks)
        )

    def forward(self, latents: Tensor) -> Tensor:
        """Tokens of pictures.

        Args:
            latents: [N, 4, h, w], scaled.

        Returns:
            [N, L, channels] tokens row by row; a row has ceil(w / 8) of them at four levels.
        """
        hidden = self.conv_in(latents)
        for block in self.body:
            hidden = block(hidden)
        return hidden.flatten(2).transpose(1, 2)


class VisualBlock(nn.Module):
    """[N, channels, h, w] -> [N, out_channels, h, w], or half as high and wide."""

    def __init__(
        self, channels: int, out_channels: int, operations: Any, make: dict, *, halves: bool
    ):
        super().__init__()
        self.down_opt = Halve(channels, operations, make) if halves else nn.Identity()
        self.in_conv = _conv(channels, out_channels, operations, make)
        self.block1 = _conv(out_channels, out_channels, operations, make)
        self.block2 = _conv(out_channels, out_channels, operations, make)

    def forward(self, hidden: Tensor) -> Tensor:
        hidden = self.in_conv(self.down_opt(hidden))
        return hidden + self.block2(F.relu(self.block1(hidden)))


class Halve(nn.Module):
    """[N, C, h, w] -> [N, C, ceil(h / 2), ceil(w / 2)]."""

    def __init__(self, channels: int, operations: Any, make: dict):
        super().__init__()
        self.op = _conv(channels, channels, operations, make, stride=2)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.op(hidden)


def _conv(channels: int, out_channels: int, operations: Any, make: dict, **more) -> nn.Module:
    return operations.Conv2d(channels, out_channels, KERNEL, padding=1, **more, **make)
