"""The image projector: CLIP's tokens of a picture -> image tokens for each frame of a video.

Learned queries look at the picture, as in the Perceiver. Attribute names are the checkpoint's.

Source: DynamiCrafter (arXiv 2310.12190); Doubiiu/DynamiCrafter lvdm/modules/encoders/resampler.py.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..layers import attend


@dataclass(frozen=True)
class ProjectorConfig:
    """Sizes of the projector; the defaults are the published ones.

    Attributes:
        in_channels: width of CLIP's tokens.
        channels: width of the queries.
        out_channels: width of the image tokens.
        num_tokens: image tokens of all frames together.
        depth: number of layers.
        heads: attention heads of a layer.
        head_channels: channels of a head.
        feed_forward_channels: inner channels of a layer's feed-forward part.
    """

    in_channels: int = 1280
    channels: int = 1024
    out_channels: int = 1024
    num_tokens: int = 256
    depth: int = 4
    heads: int = 12
    head_channels: int = 64
    feed_forward_channels: int = 4096


class ImageProjector(nn.Module):
    """CLIP's tokens -> image tokens; those of the first frame come first."""

    def __init__(self, config: ProjectorConfig, *, operations=nn, dtype=None, device=None):
        super().__init__()
        make = {"dtype": dtype, "device": device}
        self.config = config
        self.latents = nn.Parameter(torch.zeros(1, config.num_tokens, config.channels, **make))
        self.proj_in = operations.Linear(config.in_channels, config.channels, **make)
        self.layers = nn.ModuleList(
            nn.ModuleList(
                [QueryAttention(config, operations, make), _feed_forward(config, operations, make)]
            )
            for _ in range(config.depth)
        )
        self.proj_out = operations.Linear(config.channels, config.out_channels, **make)
        self.norm_out = operations.LayerNorm(config.out_channels, **make)

    def forward(self, tokens: Tensor) -> Tensor:
        """Image tokens of pictures.

        Args:
            tokens: [V, L, in_channels], all tokens of CLIP's last layer, without its last norm
                and its projection: 257 tokens of ViT-H.

        Returns:
            [V, num_tokens, out_channels].
        """
        seen = self.proj_in(tokens)
        queries = self.latents.to(seen).expand(len(tokens), -1, -1)
        for attention, feed_forward in self.layers:
            queries = queries + attention(seen, queries)
            queries = queries + feed_forward(queries)
        return self.norm_out(self.proj_out(queries))


class QueryAttention(nn.Module):
    """Queries attend to the picture and to each other."""

    def __init__(self, config: ProjectorConfig, operations, make: dict):
        super().__init__()
        channels, inner = config.channels, config.heads * config.head_channels
        self.heads = config.heads
        self.norm1 = operations.LayerNorm(channels, **make)
        self.norm2 = operations.LayerNorm(channels, **make)
        self.to_q = operations.Linear(channels, inner, bias=False, **make)
        self.to_kv = operations.Linear(channels, 2 * inner, bias=False, **make)
        self.to_out = operations.Linear(inner, channels, bias=False, **make)

    def forward(self, seen: Tensor, queries: Tensor) -> Tensor:
        seen, queries = self.norm1(seen), self.norm2(queries)
        keys, values = self.to_kv(torch.cat([seen, queries], dim=1)).chunk(2, dim=-1)
        return self.to_out(attend(self.to_q(queries), keys, values, self.heads))


def _feed_forward(config: ProjectorConfig, operations, make: dict) -> nn.Sequential:
    """[V, L, channels] -> the same."""
    channels, inner = config.channels, config.feed_forward_channels
    return nn.Sequential(
        operations.LayerNorm(channels, **make),
        operations.Linear(channels, inner, bias=False, **make),
        nn.GELU(),
        operations.Linear(inner, channels, bias=False, **make),
    )
