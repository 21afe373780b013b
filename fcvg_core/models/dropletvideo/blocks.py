"""Layers of DropletVideo's transformer: attention of text and video, and what surrounds it.

Attribute names are the checkpoint's.

Source: IEIT-AGI/DropletVideo transformer.py:62-175; huggingface/diffusers CogVideoXLayerNormZero,
CogVideoXAttnProcessor2_0.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..layers import Attend
from .config import TransformerConfig

FEED_FORWARD_WIDTH = 4  # multiple of the channels
NORM_EPS, HEAD_NORM_EPS = 1e-5, 1e-6


@dataclass(frozen=True, eq=False)
class Build:
    """What every layer is built from.

    Attributes:
        operations: the module that layers come from, for example `torch.nn`.
        make: `dtype` and `device` of weights.
    """

    config: TransformerConfig
    operations: Any
    attend: Attend
    make: dict

    def linear(self, channels: int, out_channels: int) -> nn.Module:
        """A linear layer with a bias, as all of this network are."""
        return self.operations.Linear(channels, out_channels, **self.make)

    def norm(self, channels: int, eps: float = NORM_EPS) -> nn.Module:
        """A norm with a factor and an offset for each channel."""
        return self.operations.LayerNorm(channels, eps=eps, **self.make)


@dataclass(frozen=True, eq=False)
class Conditions:
    """What every block is told beside the hidden state.

    Attributes:
        embedding: [B, time_channels] of timestep and FPS, after its activation.
        num_text: tokens of text at the beginning of the sequence.
        cos, sin: [L, 1, head_channels / 2] float32, which turn each pair of channels of a head;
            tokens of text are not turned.
    """

    embedding: Tensor
    num_text: int
    cos: Tensor
    sin: Tensor


class AdaptiveNorm(nn.Module):
    """A norm of tokens whose shift and scale follow from timestep and FPS.

    Args:
        parts: how many vectors are made of the embedding: shift and scale, or also a gate, and
            the same three for text.
    """

    def __init__(self, build: Build, *, parts: int):
        super().__init__()
        channels = build.config.channels
        self.parts = parts
        self.linear = build.linear(build.config.time_channels, parts * channels)
        self.norm = build.norm(channels)

    def modulation(self, conditions: Conditions) -> tuple[Tensor, ...]:
        """As many vectors as there are parts, each [B, 1, channels]."""
        return self.linear(conditions.embedding)[:, None].chunk(self.parts, dim=2)

    def forward(self, tokens: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
        """[B, L, channels] -> the same."""
        return torch.addcmul(shift, self.norm(tokens), 1 + scale)


class Block(nn.Module):
    """Attention of all tokens to all tokens, then a feed-forward layer: [B, L, C] -> the same."""

    def __init__(self, build: Build):
        super().__init__()
        self.norm1 = AdaptiveNorm(build, parts=6)
        self.attn1 = Attention(build)
        self.norm2 = AdaptiveNorm(build, parts=6)
        self.ff = FeedForward(build)

    def forward(self, hidden: Tensor, conditions: Conditions) -> Tensor:
        hidden = _add(hidden, self.norm1, self.attn1, conditions)
        return _add(hidden, self.norm2, self.ff, conditions)


def _add(hidden: Tensor, norm: AdaptiveNorm, layer: nn.Module, conditions: Conditions) -> Tensor:
    """Tokens [B, L, C] after what a layer makes of them is added, times a gate."""
    count = conditions.num_text
    shift, scale, gate, *of_text = norm.modulation(conditions)
    text_shift, text_scale, text_gate = of_text
    text, video = hidden[:, :count], hidden[:, count:]
    # No name keeps what the layer gets: it would stay in memory beside what the layer makes.
    found = layer(
        torch.cat([norm(text, text_shift, text_scale), norm(video, shift, scale)], dim=1),
        conditions,
    )
    return torch.cat(
        [
            torch.addcmul(text, text_gate, found[:, :count]),
            torch.addcmul(video, gate, found[:, count:]),
        ],
        dim=1,
    )


class Attention(nn.Module):
    """Attention of tokens [B, L, C] to one another, with positions of the video's tokens."""

    def __init__(self, build: Build):
        super().__init__()
        config = build.config
        self.heads, self.attend = config.heads, build.attend
        self.norm_q = build.norm(config.head_channels, HEAD_NORM_EPS)
        self.norm_k = build.norm(config.head_channels, HEAD_NORM_EPS)
        self.to_q = build.linear(config.channels, config.channels)
        self.to_k = build.linear(config.channels, config.channels)
        self.to_v = build.linear(config.channels, config.channels)
        self.to_out = nn.Sequential(build.linear(config.channels, config.channels))

    def forward(self, tokens: Tensor, conditions: Conditions) -> Tensor:
        query = self._placed(self.norm_q, self.to_q(tokens), conditions)
        key = self._placed(self.norm_k, self.to_k(tokens), conditions)
        return self.to_out(self.attend(query, key, self.to_v(tokens), self.heads))

    def _placed(self, norm: nn.Module, tokens: Tensor, conditions: Conditions) -> Tensor:
        """Queries or keys [B, L, C], normed in each head and turned by their positions."""
        tokens = norm(tokens.unflatten(2, (self.heads, -1)))
        even, odd = tokens[..., ::2], tokens[..., 1::2]
        cos, sin = conditions.cos, conditions.sin  # float32, in which the products are made
        turned = [
            (even * cos - odd * sin).to(tokens.dtype),
            (odd * cos + even * sin).to(tokens.dtype),
        ]
        return torch.stack(turned, dim=-1).flatten(2)


class FeedForward(nn.Module):
    """[B, L, C] -> the same, for every token alone."""

    def __init__(self, build: Build):
        super().__init__()
        channels = build.config.channels
        inner = FEED_FORWARD_WIDTH * channels
        self.net = nn.Sequential(
            ActivatedLinear(channels, inner, build),
            nn.Identity(),  # the official dropout
            build.linear(inner, channels),
        )

    def forward(self, tokens: Tensor, conditions: Conditions) -> Tensor:
        return self.net(tokens)


class ActivatedLinear(nn.Module):
    """[B, L, channels] -> [B, L, inner]."""

    def __init__(self, channels: int, inner: int, build: Build):
        super().__init__()
        self.proj = build.linear(channels, inner)

    def forward(self, tokens: Tensor) -> Tensor:
        # In place, because these are the largest tensors of the network.
        return torch.ops.aten.gelu_(self.proj(tokens), approximate="tanh")
