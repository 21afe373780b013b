"""ControlNeXt v2: control frames -> what is added to SVD's hidden states after its first block.

FCVG's network and ControlNeXt-SVD-v2's are the same; `controlnext_v1.py` says what the older one
does in another way. Attribute names are the checkpoint's.

Source: ControlNeXt (arXiv 2408.06070); Tian-one/FCVG models/controlnext_vid_svd.py and
models/unet_spatio_temporal_condition_controlnext.py:452-465.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import UserError

CONTROL_SCALE = 0.2  # FCVG's control level, unet_..._controlnext.py:464
STD_EPSILON = 1e-5  # the same file, line 462
TIME_CHANNELS, TIME_EMBEDDING = 128, 256


@dataclass(frozen=True)
class Config:
    """Sizes of the network; only the first one differs between UNets."""

    out_channels: int = 320  # of SVD's first block
    stem: tuple[int, int, int] = (64, 64, 128)
    down: tuple[int, ...] = (128, 256)
    version: int = 2


class ControlNeXt(nn.Module):
    """Works frame by frame on the control frames and the timestep alone."""

    down_block = 0  # of the UNet: what leaves it is steered, its skip connections are not
    halvings = 1  # of the latents' height and width until there
    repeats_first_frame = True  # every window begins with the video's first control frame

    def __init__(self, config: Config, *, operations=nn, dtype=None, device=None):
        super().__init__()
        make = {"dtype": dtype, "device": device}
        self.config = config
        self.time_embedding = TimestepEmbedding(operations, make)
        self.embedding = _stem(config.stem, operations, make)
        widths = (config.stem[-1], *config.down)
        self.down_res = nn.ModuleList(
            ResnetBlock(widths[i], widths[i + 1], 8 if i else 4, operations, make)
            for i in range(len(config.down))
        )
        self.down_sample = nn.ModuleList(Downsample(c, operations, make) for c in config.down)
        self.mid_convs = nn.ModuleList(
            [
                _mid(config.down[-1], operations, make),
                operations.Conv2d(config.down[-1], config.out_channels, 1, **make),
            ]
        )

    def forward(self, frames: Tensor, timestep: Tensor) -> Tensor:
        """Features of every frame.

        Args:
            frames: [T, 3, H, W] in 0..1, H and W at least 32.
            timestep: scalar, 0.25 * ln(sigma).

        Returns:
            [T, out_channels, h, w], h about H / 8: not the size of the hidden state; see
            `prepare_control`.
        """
        embedding = self.time_embedding(timestep_features(timestep).to(frames))
        hidden = self.embedding(frames)
        for resnet, downsample in zip(self.down_res, self.down_sample, strict=True):
            hidden = downsample(resnet(hidden, embedding))
        hidden = self.mid_convs[0](hidden) + hidden
        return self.mid_convs[1](hidden)

    def levels(self) -> tuple[float, float]:
        """How strongly control acts on the conditional and on the unconditional half.

        The reference multiplies the unconditional half's by zero.
        """
        return CONTROL_SCALE, 0.0


def prepare_control(features: Tensor, size: tuple[int, int]) -> Tensor:
    """Features without their own mean and scale, at the hidden state's size.

    Normalising comes before pooling: the pooled features' statistics are other ones. What the
    hidden state lends (its mean and deviation) can be put on afterwards, since pooling is
    linear; so this is done once a step for all passes, and less is kept.

    Args:
        features: [T, C, h, w] of ControlNeXt.
        size: (height, width) of the hidden state that they will be added to.

    Returns:
        [T, C, *size] of mean 0 and deviation 1 before pooling, in float32.
    """
    features = features.float()  # the difference may overflow in half precision
    std, mean = torch.std_mean(features, dim=(1, 2, 3), keepdim=True)
    return F.adaptive_avg_pool2d((features - mean) / (std + STD_EPSILON), size)


def add_control(
    hidden: Tensor, control: Tensor, strength: float, level: float = CONTROL_SCALE
) -> Tensor:
    """Steer a hidden state: control takes its mean and deviation, then is added.

    Args:
        hidden: [T, C, h, w] after the network's `down_block` of the UNet, a downsampler included;
            the skip connection has been taken already and stays as it is.
        control: [T, C, h, w] from `prepare_control`.
        strength: 1.0 is the reference's; 0 changes nothing.
        level: one of the network's `levels`.
    """
    if hidden.shape != control.shape:
        raise UserError(
            f"ControlNeXt's features are {tuple(control.shape)} (frames, channels, height, width) "
            f"but the UNet's are {tuple(hidden.shape)}: the two files do not belong together, "
            "or the number of control frames is not that of the video."
        )
    std, mean = torch.std_mean(hidden, dim=(1, 2, 3), keepdim=True)
    return hidden + (control * std + mean) * (level * strength)


def timestep_features(timestep: Tensor) -> Tensor:
    """Sinusoidal features of a timestep, cosines first: scalar -> [1, 128] float32."""
    half = TIME_CHANNELS // 2
    exponent = torch.arange(half, dtype=torch.float32, device=timestep.device) / half
    angles = timestep.float().reshape(1, 1) * torch.exp(-math.log(10000) * exponent)
    return torch.cat([angles.cos(), angles.sin()], dim=1)


class TimestepEmbedding(nn.Module):
    """[1, 128] -> [1, 256]."""

    def __init__(self, operations, make: dict):
        super().__init__()
        self.linear_1 = operations.Linear(TIME_CHANNELS, TIME_EMBEDDING, **make)
        self.linear_2 = operations.Linear(TIME_EMBEDDING, TIME_EMBEDDING, **make)

    def forward(self, features: Tensor) -> Tensor:
        return self.linear_2(F.silu(self.linear_1(features)))


class ResnetBlock(nn.Module):
    """Two convolutions around the timestep; norms with eps 1e-6 (the stem's have 1e-5)."""

    def __init__(self, channels: int, out_channels: int, groups: int, operations, make: dict):
        super().__init__()
        self.norm1 = operations.GroupNorm(groups, channels, eps=1e-6, **make)
        self.conv1 = operations.Conv2d(channels, out_channels, 3, padding=1, **make)
        self.time_emb_proj = operations.Linear(TIME_EMBEDDING, out_channels, **make)
        self.norm2 = operations.GroupNorm(groups, out_channels, eps=1e-6, **make)
        self.conv2 = operations.Conv2d(out_channels, out_channels, 3, padding=1, **make)
        self.conv_shortcut = nn.Identity()
        if channels != out_channels:
            self.conv_shortcut = operations.Conv2d(channels, out_channels, 1, **make)

    def forward(self, hidden: Tensor, embedding: Tensor) -> Tensor:
        inner = self.conv1(F.silu(self.norm1(hidden)))
        inner = inner + self.time_emb_proj(F.silu(embedding))[:, :, None, None]
        inner = self.conv2(F.silu(self.norm2(inner)))
        return self.conv_shortcut(hidden) + inner


class Downsample(nn.Module):
    """Half the height and width."""

    def __init__(self, channels: int, operations, make: dict):
        super().__init__()
        self.conv = operations.Conv2d(channels, channels, 3, stride=2, padding=1, **make)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.conv(hidden)


def _stem(widths: tuple[int, int, int], operations, make: dict) -> nn.Sequential:
    """Half size; the second and third convolution have no padding and trim two pixels each."""
    first, second, third = widths
    return nn.Sequential(
        operations.Conv2d(3, first, 3, stride=2, padding=1, **make),
        operations.GroupNorm(2, first, **make),
        nn.ReLU(),
        operations.Conv2d(first, second, 3, **make),
        operations.GroupNorm(2, second, **make),
        nn.ReLU(),
        operations.Conv2d(second, third, 3, **make),
        operations.GroupNorm(2, third, **make),
        nn.ReLU(),
    )


def _mid(channels: int, operations, make: dict) -> nn.Sequential:
    """Two convolutions that refine the features before they are projected."""
    return nn.Sequential(
        operations.Conv2d(channels, channels, 3, padding=1, **make),
        nn.ReLU(),
        operations.GroupNorm(8, channels, **make),
        operations.Conv2d(channels, channels, 3, padding=1, **make),
        operations.GroupNorm(8, channels, **make),
    )
