"""ControlNeXt: control frames -> features, which are added to a hidden state of SVD's UNet.

Version 2 is the network of FCVG and of ControlNeXt-SVD-v2. Version 1 is the network of the first
ControlNeXt-SVD: it sees control at half the resolution, has a third residual block, steers what
enters the middle block, and has learned how strongly it acts. Attribute names are the
checkpoint's.

Source: ControlNeXt (arXiv 2408.06070); Tian-one/FCVG models/controlnext_vid_svd.py and
models/unet_spatio_temporal_condition_controlnext.py:452-465; dvlab-research/ControlNeXt
ControlNeXt-SVD/models/controlnext_vid_svd.py, unet_spatio_temporal_condition_controlnext.py:464-472
and pipeline/pipeline_stable_video_diffusion_controlnext.py:571-579.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers import sinusoids

CONTROL_SCALE = 0.2  # level of version 2: FCVG's unet_spatio_..._controlnext.py, line 464
SCALE_LIMIT = 1.3  # version 1's unet_spatio_..._controlnext.py, line 472: sigmoid(scale) * 1.3
TIME_CHANNELS, TIME_EMBEDDING = 128, 256


@dataclass(frozen=True)
class Config:
    """Sizes of the network, and where and how it acts on a UNet.

    Attributes:
        version: 2 for FCVG and ControlNeXt-SVD-v2, 1 for the first ControlNeXt-SVD.
        out_channels: channels of the UNet's hidden state that is steered.
        down: channels after each residual block.
        stem: channels after each convolution of the stem.
        stem_padding: of the second and third convolution of the stem. The published training code
            of version 2 pads by 1 pixel, but the networks that run the trained weights do not.
        pool: whether a pooling after the stem halves the size.
        learned_scale: whether the file holds how strongly control acts.
        down_block: number of the UNet's down block. The hidden state that leaves the block is
            steered; the block's skip connections are not.
        halvings: how often height and width of the latents were halved before this hidden state.
        repeats_first_frame: whether every window begins with the video's first control frame.
    """

    version: int
    out_channels: int
    down: tuple[int, ...]
    stem: tuple[int, int, int] = (64, 64, 128)
    stem_padding: int = 0
    pool: bool = False
    learned_scale: bool = False
    down_block: int = 0
    halvings: int = 1
    repeats_first_frame: bool = True

    def hidden_size(self, latent_size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of the hidden state that is steered, from those of the latents."""
        height, width = latent_size
        for _ in range(self.halvings):
            height, width = (height + 1) // 2, (width + 1) // 2
        return height, width


V2 = Config(version=2, out_channels=320, down=(128, 256))
V1 = Config(
    version=1,
    out_channels=1280,
    down=(128, 256, 256),
    pool=True,
    learned_scale=True,
    down_block=-1,  # the last one: control comes before the middle block
    halvings=3,
    repeats_first_frame=False,
)


class ControlNeXt(nn.Module):
    """Works frame by frame on the control frames and the timestep alone."""

    def __init__(self, config: Config, *, operations=nn, dtype=None, device=None):
        super().__init__()
        make = {"dtype": dtype, "device": device}
        self.config = config
        self.time_embedding = TimestepEmbedding(operations, make)
        self.embedding = _stem(config.stem, config.stem_padding, operations, make)
        if config.pool:
            self.embedding.append(nn.MaxPool2d(2))
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
        if config.learned_scale:
            self.scale = nn.Parameter(torch.ones((), dtype=dtype, device=device))

    def forward(self, frames: Tensor, timestep: Tensor) -> Tensor:
        """Features of every frame.

        Args:
            frames: [T, 3, H, W] in 0..1, H and W at least 32.
            timestep: 0.25 * ln(sigma), a scalar, or [T] if the frames have different ones.

        Returns:
            [T, out_channels, h, w], h about H / 8. This is not the size of the hidden state;
            `prepare_control` makes it so.
        """
        features = sinusoids(timestep.reshape(-1), TIME_CHANNELS)
        embedding = self.time_embedding(features.to(frames))
        hidden = self.embedding(frames)
        for resnet, downsample in zip(self.down_res, self.down_sample, strict=True):
            hidden = downsample(resnet(hidden, embedding))
        hidden = self.mid_convs[0](hidden) + hidden
        return self.mid_convs[1](hidden)

    def levels(self) -> tuple[float, float]:
        """How strongly control acts on the conditional and on the unconditional half.

        The official code multiplies the unconditional half's level by zero. Version 2 multiplies
        the level itself. Version 1 multiplies before the sigmoid, so half of the limit is left.
        """
        if not self.config.learned_scale:
            return CONTROL_SCALE, 0.0
        return SCALE_LIMIT * float(self.scale.detach().float().sigmoid()), SCALE_LIMIT / 2


class TimestepEmbedding(nn.Module):
    """[N, 128] -> [N, 256]."""

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


def _stem(widths: tuple[int, int, int], padding: int, operations, make: dict) -> nn.Sequential:
    """Half the size; without padding the second and third convolution trim two pixels each."""
    first, second, third = widths
    return nn.Sequential(
        operations.Conv2d(3, first, 3, stride=2, padding=1, **make),
        operations.GroupNorm(2, first, **make),
        nn.ReLU(),
        operations.Conv2d(first, second, 3, padding=padding, **make),
        operations.GroupNorm(2, second, **make),
        nn.ReLU(),
        operations.Conv2d(second, third, 3, padding=padding, **make),
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
