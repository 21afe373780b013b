"""Layers of the VAE: causal convolutions over frames, norms, residual blocks, changes of size.

Attribute names are the checkpoint's. A hidden state is [B, C, T, h, w]. The layers write into the
hidden states that they have made themselves, because hidden states of whole frames are large.

Source: IEIT-AGI/DropletVideo vae.py; diffusers models/downsampling.py, upsampling.py (CogVideoX).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .config import VaeConfig

EPS = 1e-6  # of every norm
KERNEL = 3  # frames, rows and columns that a convolution sees
MOST_VALUES = 2**27  # of the hidden state that a convolution gets at once; cuDNN fails from 2**31

# The last frames that each causal convolution has seen. It belongs to one video, and lies empty
# before the first chunk of the video.
Past = dict[nn.Module, Tensor]


@dataclass(frozen=True, eq=False)
class Build:
    """What every layer is built from.

    Attributes:
        operations: the module that layers come from, for example `torch.nn`.
        make: `dtype` and `device` of weights.
    """

    config: VaeConfig
    operations: Any
    make: dict

    def group_norm(self, channels: int) -> nn.Module:
        """A norm of the chunk's hidden state, in groups of channels."""
        return self.operations.GroupNorm(self.config.norm_groups, channels, eps=EPS, **self.make)

    def point_conv(self, channels: int, out_channels: int) -> nn.Module:
        """A convolution that sees one value of each channel."""
        return self.operations.Conv3d(channels, out_channels, 1, **self.make)


def join_in_time(parts: Iterable[Tensor], num_frames: int) -> Tensor:
    """Parts of a video in one tensor; each part is freed before the next part is made.

    Args:
        parts: at least one [B, C, t, h, w].
        num_frames: frames of all parts, T.

    Returns:
        [B, C, T, h, w]; the part itself if there is only one.
    """
    joined, start = None, 0
    for part in parts:
        if part.shape[2] == num_frames:
            return part
        if joined is None:
            joined = part.new_empty((*part.shape[:2], num_frames, *part.shape[3:]))
        joined[:, :, start : start + part.shape[2]] = part
        start += part.shape[2]
        del part
    return joined


class CausalConv(nn.Module):
    """A convolution whose frame sees itself and the two frames before it.

    Before the first frame of a video lie two copies of this frame.
    """

    def __init__(self, channels: int, out_channels: int, build: Build):
        super().__init__()
        conv = build.operations.Conv3d
        self.conv = conv(channels, out_channels, KERNEL, padding=(0, 1, 1), **build.make)

    def forward(self, hidden: Tensor, past: Past) -> Tensor:
        """A chunk [B, C, T, h, w] -> the same with other channels; the past is brought up to it."""
        num_frames = hidden.shape[2]
        before = past.get(self)
        if before is None:
            before = hidden[:, :, :1].expand(-1, -1, KERNEL - 1, -1, -1)
        past[self] = torch.cat([before[:, :, num_frames:], hidden[:, :, 1 - KERNEL :]], dim=2)
        return join_in_time(self._convolved(before, hidden), num_frames)

    def _convolved(self, before: Tensor, hidden: Tensor) -> Iterator[Tensor]:
        """The output in parts of a few frames."""
        at_once = max(MOST_VALUES // hidden[:, :, 0].numel(), 1)
        for start in range(0, hidden.shape[2], at_once):
            seen = hidden[:, :, max(start + 1 - KERNEL, 0) : start + at_once]
            yield self.conv(torch.cat([before[:, :, start:], seen], dim=2))


class PointConv(nn.Module):
    """A convolution over channels alone, under the name that the checkpoint gives it."""

    def __init__(self, channels: int, out_channels: int, build: Build):
        super().__init__()
        self.conv = build.point_conv(channels, out_channels)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.conv(hidden)


class LatentNorm(nn.Module):
    """The decoder's norm: scale and shift of a place come from the latent at this place.

    Differs: the official code enlarges the latents before the convolutions, whose output is large
        then. The convolutions see single places, so the order does not change the numbers.
    """

    def __init__(self, channels: int, build: Build):
        super().__init__()
        self.norm_layer = build.group_norm(channels)
        self.conv_y = PointConv(build.config.latent_channels, channels, build)
        self.conv_b = PointConv(build.config.latent_channels, channels, build)

    def forward(self, hidden: Tensor, latents: Tensor) -> Tensor:
        """Normed [B, C, T, h, w]; `latents` are those of the chunk."""
        normed = self.norm_layer(hidden)
        scales, shifts = self.conv_y(latents), self.conv_b(latents)
        start = 0
        for i, count in enumerate(_frames_of_parts(latents.shape[2], hidden.shape[2])):
            part = normed.narrow(2, start, count)
            part.mul_(_enlarged(scales[:, :, i], hidden)).add_(_enlarged(shifts[:, :, i], hidden))
            start += count
        return normed


def _frames_of_parts(num_parts: int, num_frames: int) -> list[int]:
    """How many frames each part becomes; an odd number of parts begins with a single frame."""
    alone = num_parts % 2
    each = (num_frames - alone) // max(num_parts - alone, 1)
    return [1] * alone + [each] * (num_parts - alone)


def _enlarged(frame: Tensor, hidden: Tensor) -> Tensor:
    """[B, C, h, w] -> [B, C, 1, H, W] for every frame of a hidden state."""
    return F.interpolate(frame, size=hidden.shape[3:])[:, :, None]


class ResBlock(nn.Module):
    """[B, channels, T, h, w] -> [B, out_channels, T, h, w]."""

    def __init__(self, channels: int, out_channels: int, build: Build, *, decodes: bool):
        super().__init__()
        norm = (lambda width: LatentNorm(width, build)) if decodes else build.group_norm
        self.norm1, self.norm2 = norm(channels), norm(out_channels)
        self.conv1 = CausalConv(channels, out_channels, build)
        self.conv2 = CausalConv(out_channels, out_channels, build)
        self.conv_shortcut = nn.Identity()
        if channels != out_channels:
            self.conv_shortcut = build.point_conv(channels, out_channels)

    def forward(self, hidden: Tensor, past: Past, *latents: Tensor) -> Tensor:
        """`latents` are those of the chunk, for a block of the decoder."""
        inner = self.conv1(activate(self.norm1, hidden, *latents), past)
        inner = self.conv2(activate(self.norm2, inner, *latents), past)
        return inner.add_(self.conv_shortcut(hidden))


def activate(norm: nn.Module, *inputs: Tensor) -> Tensor:
    """What follows on a norm everywhere."""
    return F.silu(norm(*inputs), inplace=True)


class Level(nn.Module):
    """Residual blocks in a row, and a change of size after them."""

    def __init__(
        self,
        widths: tuple[int, int],
        layers: int,
        build: Build,
        *,
        decodes: bool,
        downsampler: nn.Module | None = None,
        upsampler: nn.Module | None = None,
    ):
        super().__init__()
        channels, out_channels = widths
        self.resnets = nn.ModuleList(
            ResBlock(out_channels if i else channels, out_channels, build, decodes=decodes)
            for i in range(layers)
        )
        self.downsamplers = nn.ModuleList([downsampler] if downsampler else [])
        self.upsamplers = nn.ModuleList([upsampler] if upsampler else [])

    def forward(self, hidden: Tensor, past: Past, *latents: Tensor) -> Tensor:
        for resnet in self.resnets:
            hidden = resnet(hidden, past, *latents)
        for layer in (*self.downsamplers, *self.upsamplers):
            hidden = layer(hidden)
        return hidden


class Downsample(nn.Module):
    """Half the height and width; half the frames, too, where time is compressed.

    If the number of frames is odd, the first frame stays alone. Pairs of frames are averaged.
    """

    def __init__(self, channels: int, build: Build, *, in_time: bool):
        super().__init__()
        self.conv = build.operations.Conv2d(channels, channels, KERNEL, stride=2, **build.make)
        self.in_time = in_time

    def forward(self, hidden: Tensor) -> Tensor:
        if self.in_time:
            first, rest = hidden.tensor_split([hidden.shape[2] % 2], dim=2)
            pairs = rest.unflatten(2, (rest.shape[2] // 2, 2)).mean(3)
            hidden = torch.cat([first, pairs], dim=2)
        frames = (self.conv(F.pad(x, (0, 1, 0, 1)))[:, :, None] for x in hidden.unbind(2))
        return join_in_time(frames, hidden.shape[2])


class Upsample(nn.Module):
    """Twice the height and width; twice the frames, too, where time was compressed.

    If the number of frames is odd, the first frame stays alone.

    Differs: frames are repeated after the convolution, which sees single frames, and not before.
    """

    def __init__(self, channels: int, build: Build, *, in_time: bool):
        super().__init__()
        self.conv = build.operations.Conv2d(channels, channels, KERNEL, padding=1, **build.make)
        self.in_time = in_time

    def forward(self, hidden: Tensor) -> Tensor:
        parts = hidden.shape[2]
        num_frames = 2 * parts - parts % 2 if self.in_time else parts
        counts = _frames_of_parts(parts, num_frames)
        frames = (
            self.conv(F.interpolate(x, scale_factor=2.0))[:, :, None].expand(-1, -1, n, -1, -1)
            for x, n in zip(hidden.unbind(2), counts, strict=True)
        )
        return join_in_time(frames, num_frames)
