"""Transformers of the UNet: over the pixels of a frame, and over the frames at a pixel.

Attribute names are the checkpoint's.

Source: Doubiiu/DynamiCrafter lvdm/modules/attention.py:212-412.
"""

import torch
from torch import Tensor, nn

from .attention import Attention, FeedForward
from .config import Build, Conditions
from .gate import Gate
from .layers import NORM_GROUPS, join_frames, split_frames

EPSILON = 1e-6
# Sequences times heads in one call. At 576 x 1024 pixels two videos are 18432 sequences with 5 or
# 8 heads each, but some kernels of CUDA take 65535 at most. The limit also bounds the memory that
# the feed-forward layers need.
MOST_SEQUENCES = 2**15


class SpatialBlock(nn.Module):
    """Attention among the pixels of a frame, to the text and to image tokens."""

    def __init__(self, channels: int, build: Build):
        super().__init__()
        config, layer_norm, make = build.config, build.operations.LayerNorm, build.make
        heads = build.heads(channels)
        self.attn1 = Attention(channels, heads, build)
        self.attn2 = Attention(
            channels,
            heads,
            build,
            context_channels=config.context_channels,
            image=config.image_attention,
        )
        self.ff = FeedForward(channels, build)
        self.norm1 = layer_norm(channels, **make)
        self.norm2 = layer_norm(channels, **make)
        self.norm3 = layer_norm(channels, **make)
        self.gate_attn = Gate(channels, build) if config.gate else None
        self.image_in_attention = config.image_attention is not None

    def forward(self, hidden: Tensor, conditions: Conditions) -> Tensor:
        hidden = hidden + self.attn1(self.norm1(hidden))
        # Without objects the official code skips the gate, and with it the image tokens.
        if self.gate_attn is not None and conditions.objects is not None:
            hidden = self.gate_attn(hidden, conditions.objects, conditions.image)
        image = conditions.image if self.image_in_attention else None
        hidden = hidden + self.attn2(self.norm2(hidden), conditions.text, image)
        return hidden + self.ff(self.norm3(hidden))


class TemporalBlock(nn.Module):
    """Attention among the frames, twice. No position is encoded: frames are a set here."""

    def __init__(self, channels: int, heads: int, build: Build):
        super().__init__()
        layer_norm, make = build.operations.LayerNorm, build.make
        self.attn1 = Attention(channels, heads, build)
        self.attn2 = Attention(channels, heads, build)
        self.ff = FeedForward(channels, build)
        self.norm1 = layer_norm(channels, **make)
        self.norm2 = layer_norm(channels, **make)
        self.norm3 = layer_norm(channels, **make)

    def forward(self, hidden: Tensor) -> Tensor:
        hidden = hidden + self.attn1(self.norm1(hidden))
        hidden = hidden + self.attn2(self.norm2(hidden))
        return hidden + self.ff(self.norm3(hidden))


class SpatialTransformer(nn.Module):
    """[N, channels, h, w] -> the same, frame by frame."""

    def __init__(self, channels: int, build: Build):
        super().__init__()
        ops, make = build.operations, build.make
        self.norm = ops.GroupNorm(NORM_GROUPS, channels, eps=EPSILON, **make)
        self.proj_in = ops.Linear(channels, channels, **make)
        self.transformer_blocks = nn.ModuleList([SpatialBlock(channels, build)])
        self.proj_out = ops.Linear(channels, channels, **make)

    def forward(self, hidden: Tensor, conditions: Conditions) -> Tensor:
        inner = self.proj_in(self.norm(hidden).flatten(2).transpose(1, 2))
        for block in self.transformer_blocks:
            inner = block(inner, conditions)
        inner = self.proj_out(inner).transpose(1, 2)
        return hidden + inner.reshape(hidden.shape)


class TemporalTransformer(nn.Module):
    """[N, channels, h, w] -> the same; each pixel sees itself in the other frames of its video.

    Args:
        inner: channels of the attention; None: those of the hidden state.
        conv: whether the projections are Conv1d.
    """

    def __init__(self, channels: int, build: Build, *, inner: int | None = None, conv: bool):
        super().__init__()
        ops, make, inner = build.operations, build.make, inner or channels
        self.heads = build.heads(inner)
        self.norm = ops.GroupNorm(NORM_GROUPS, channels, eps=EPSILON, **make)
        self.conv = conv
        if conv:
            self.proj_in = ops.Conv1d(channels, inner, 1, **make)
            self.proj_out = ops.Conv1d(inner, channels, 1, **make)
        else:
            self.proj_in = ops.Linear(channels, inner, **make)
            self.proj_out = ops.Linear(inner, channels, **make)
        self.transformer_blocks = nn.ModuleList([TemporalBlock(inner, self.heads, build)])

    def forward(self, hidden: Tensor, conditions: Conditions) -> Tensor:
        videos = self.norm(split_frames(hidden, conditions.num_frames))
        shape = videos.shape  # [V, channels, T, h, w]
        sequences = videos.permute(0, 3, 4, 2, 1).flatten(0, 2)  # [V * h * w, T, channels]
        parts = sequences.split(max(1, MOST_SEQUENCES // self.heads))
        inner = torch.cat([self._attend(part) for part in parts])
        videos = inner.unflatten(0, (shape[0], *shape[3:])).permute(0, 4, 3, 1, 2)
        return hidden + join_frames(videos)

    def _attend(self, sequences: Tensor) -> Tensor:
        """[n, T, channels] -> the same."""
        inner = self._project(self.proj_in, sequences)
        for block in self.transformer_blocks:
            inner = block(inner)
        return self._project(self.proj_out, inner)

    def _project(self, projection: nn.Module, sequences: Tensor) -> Tensor:
        """[n, T, C] -> [n, T, other channels]; Conv1d wants channels before frames."""
        if self.conv:
            return projection(sequences.transpose(1, 2)).transpose(1, 2)
        return projection(sequences)
