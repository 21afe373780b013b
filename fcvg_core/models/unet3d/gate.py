"""SMCD's gate: where objects lie, and what the first frame shows, enter a spatial block.

Attribute names are the checkpoint's. Learned factors begin near zero in training, so that an
untrained gate changes nothing.

Source: "Animate Your Motion" (arXiv 2403.10179); the part for objects is GLIGEN's
(arXiv 2301.07093).
"""

import torch
from torch import Tensor, nn

from .attention import Attention, FeedForward
from .config import Build


class Gate(nn.Module):
    """Attention of pixels to pixels and objects, then, if trained, to image tokens."""

    def __init__(self, channels: int, build: Build):
        super().__init__()
        ops, make, context = build.operations, build.make, build.config.context_channels
        heads = build.heads(channels)
        self.linear = ops.Linear(context, channels, **make)
        self.attn = Attention(channels, heads, build)
        self.ff = FeedForward(channels, build)
        self.norm1 = ops.LayerNorm(channels, **make)
        self.norm2 = ops.LayerNorm(channels, **make)
        self.alpha_attn = nn.Parameter(torch.zeros((), **make))
        self.alpha_dense = nn.Parameter(torch.zeros((), **make))
        self.takes_image = build.config.gate == "objects and image"
        if self.takes_image:
            self.v_linear = ops.Linear(context, channels, **make)
            self.cross_attn = Attention(channels, heads, build)
            self.cross_ff = FeedForward(channels, build)
            self.cross_norm1 = ops.LayerNorm(channels, **make)
            self.cross_norm2 = ops.LayerNorm(channels, **make)
            self.cross_alpha_attn = nn.Parameter(torch.zeros((), **make))
            self.cross_alpha_dense = nn.Parameter(torch.zeros((), **make))

    def forward(self, hidden: Tensor, objects: Tensor, image: Tensor | None) -> Tensor:
        """The hidden state after it has attended to objects and to image tokens.

        Args:
            hidden: [N, L, channels].
            objects: [N, m, context_channels] tokens.
            image: [N, n, context_channels] tokens of the first frame; None: without them.

        Returns:
            [N, L, channels].
        """
        both = self.norm1(torch.cat([hidden, self.linear(objects)], dim=1))
        found = self.attn(both)[:, : hidden.shape[1]]
        hidden = hidden + _factor(self.alpha_attn, hidden) * found
        hidden = hidden + _factor(self.alpha_dense, hidden) * self.ff(self.norm2(hidden))
        if not self.takes_image or image is None:
            return hidden
        seen = self.cross_attn(self.cross_norm1(hidden), self.v_linear(image))
        hidden = hidden + _factor(self.cross_alpha_attn, hidden) * seen
        inner = self.cross_ff(self.cross_norm2(hidden))
        return hidden + _factor(self.cross_alpha_dense, hidden) * inner


def _factor(alpha: Tensor, hidden: Tensor) -> Tensor:
    """The factor that a learned number stands for."""
    return torch.tanh(alpha.to(hidden))
