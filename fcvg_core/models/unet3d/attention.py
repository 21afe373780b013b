"""Attention and the feed-forward layer of transformer blocks.

Attribute names are the checkpoint's.

Source: Doubiiu/DynamiCrafter lvdm/modules/attention.py:42-209, 415-442.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .config import Build

FEED_FORWARD_WIDTH = 4  # multiple of the channels


class Attention(nn.Module):
    """Attention to the hidden state itself, or to context, or to context and image tokens."""

    def __init__(
        self,
        channels: int,
        heads: int,
        build: Build,
        *,
        context_channels: int | None = None,
        image: str | None = None,
    ):
        super().__init__()
        linear, make = build.operations.Linear, build.make
        self.heads, self.attend = heads, build.attend
        inner, context = heads * build.config.head_channels, context_channels or channels
        self.to_q = linear(channels, inner, bias=False, **make)
        self.to_k = linear(context, inner, bias=False, **make)
        self.to_v = linear(context, inner, bias=False, **make)
        self.to_out = nn.Sequential(linear(inner, channels, **make))
        if image:
            self.to_k_ip = linear(context, inner, bias=False, **make)
            self.to_v_ip = linear(context, inner, bias=False, **make)
        self.alpha = nn.Parameter(torch.zeros((), **make)) if image == "learned" else None

    def forward(
        self, hidden: Tensor, context: Tensor | None = None, image: Tensor | None = None
    ) -> Tensor:
        """What the hidden state takes from what it attends to.

        Args:
            hidden: [N, L, channels].
            context: [N, M, context_channels]; None: the hidden state.
            image: [N, n, context_channels] image tokens, which share the query; or None.

        Returns:
            [N, L, channels].
        """
        context = hidden if context is None else context
        query = self.to_q(hidden)
        found = self.attend(query, self.to_k(context), self.to_v(context), self.heads)
        if image is not None:
            seen = self.attend(query, self.to_k_ip(image), self.to_v_ip(image), self.heads)
            if self.alpha is not None:
                seen = seen * (torch.tanh(self.alpha.to(seen)) + 1)
            found = found + seen
        return self.to_out(found)


class FeedForward(nn.Module):
    """[N, L, channels] -> the same; half of the inner channels gate the other half."""

    def __init__(self, channels: int, build: Build):
        super().__init__()
        inner = FEED_FORWARD_WIDTH * channels
        self.net = nn.Sequential(
            GatedLinear(channels, inner, build),
            nn.Identity(),  # the official dropout
            build.operations.Linear(inner, channels, **build.make),
        )

    def forward(self, hidden: Tensor) -> Tensor:
        return self.net(hidden)


class GatedLinear(nn.Module):
    """[N, L, channels] -> [N, L, inner]."""

    def __init__(self, channels: int, inner: int, build: Build):
        super().__init__()
        self.proj = build.operations.Linear(channels, 2 * inner, **build.make)

    def forward(self, hidden: Tensor) -> Tensor:
        values, gates = self.proj(hidden).chunk(2, dim=-1)
        return values * F.gelu(gates)
