"""Residual blocks and changes of size.

Attribute names are the checkpoint's.

Source: Doubiiu/DynamiCrafter lvdm/modules/networks/openaimodel3d.py:51-279.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from .config import Build, Conditions

# Every norm computes its mean and deviation in float32, also in half precision: torch's group
# norm and layer norm do so by themselves.
NORM_GROUPS = 32


def split_frames(hidden: Tensor, num_frames: int) -> Tensor:
    """[V * T, C, h, w] -> [V, C, T, h, w]."""
    return hidden.unflatten(0, (-1, num_frames)).transpose(1, 2)


def join_frames(videos: Tensor) -> Tensor:
    """[V, C, T, h, w] -> [V * T, C, h, w]."""
    return videos.transpose(1, 2).flatten(0, 1)


class Layers(nn.ModuleList):
    """Layers in a row; each takes a hidden state and Conditions."""

    def forward(self, hidden: Tensor, conditions: Conditions) -> Tensor:
        for layer in self:
            hidden = layer(hidden, conditions)
        return hidden


class ResBlock(nn.Module):
    """[N, channels, h, w] -> [N, out_channels, h, w]: within a frame, then across frames."""

    def __init__(self, channels: int, out_channels: int, build: Build):
        super().__init__()
        ops, make = build.operations, build.make
        self.in_layers = nn.Sequential(
            ops.GroupNorm(NORM_GROUPS, channels, **make),
            nn.SiLU(),
            ops.Conv2d(channels, out_channels, 3, padding=1, **make),
        )
        self.emb_layers = nn.Sequential(
            nn.SiLU(), ops.Linear(build.config.embedding_channels, out_channels, **make)
        )
        self.out_layers = nn.Sequential(
            ops.GroupNorm(NORM_GROUPS, out_channels, **make),
            nn.SiLU(),
            nn.Identity(),  # the official dropout
            ops.Conv2d(out_channels, out_channels, 3, padding=1, **make),
        )
        self.skip_connection = nn.Identity()
        if channels != out_channels:
            self.skip_connection = ops.Conv2d(channels, out_channels, 1, **make)
        self.temopral_conv = TemporalConv(out_channels, build)  # the checkpoint's spelling

    def forward(self, hidden: Tensor, conditions: Conditions) -> Tensor:
        inner = self.in_layers(hidden)
        inner = inner + self.emb_layers(conditions.embedding)[:, :, None, None]
        hidden = self.skip_connection(hidden) + self.out_layers(inner)
        videos = split_frames(hidden, conditions.num_frames)
        return join_frames(self.temopral_conv(videos))


class TemporalConv(nn.Module):
    """[V, channels, T, h, w] -> the same; norms span all frames of a video."""

    def __init__(self, channels: int, build: Build):
        super().__init__()
        self.conv1 = _temporal_layers(channels, build, dropout=False)
        self.conv2 = _temporal_layers(channels, build, dropout=True)
        self.conv3 = _temporal_layers(channels, build, dropout=True)
        self.conv4 = _temporal_layers(channels, build, dropout=True)

    def forward(self, videos: Tensor) -> Tensor:
        return videos + self.conv4(self.conv3(self.conv2(self.conv1(videos))))


class Downsample(nn.Module):
    """Half the height and width."""

    def __init__(self, channels: int, build: Build):
        super().__init__()
        self.op = build.operations.Conv2d(channels, channels, 3, stride=2, padding=1, **build.make)

    def forward(self, hidden: Tensor, conditions: Conditions) -> Tensor:
        return self.op(hidden)


class Upsample(nn.Module):
    """Twice the height and width."""

    def __init__(self, channels: int, build: Build):
        super().__init__()
        self.conv = build.operations.Conv2d(channels, channels, 3, padding=1, **build.make)

    def forward(self, hidden: Tensor, conditions: Conditions) -> Tensor:
        return self.conv(F.interpolate(hidden, scale_factor=2, mode="nearest"))


def _temporal_layers(channels: int, build: Build, *, dropout: bool) -> nn.Sequential:
    """Norm and convolution over three frames; `dropout` leaves a place for the official one."""
    ops, make = build.operations, build.make
    return nn.Sequential(
        ops.GroupNorm(NORM_GROUPS, channels, **make),
        nn.SiLU(),
        *([nn.Identity()] if dropout else []),
        ops.Conv3d(channels, channels, (3, 1, 1), padding=(1, 0, 0), **make),
    )
