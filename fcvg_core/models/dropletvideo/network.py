"""The transformer of DropletVideo-5B: CogVideoX-5B with an embedding of FPS.

Text and video are one sequence of tokens, text first. Videos are [B, C, T, h, w] as in ComfyUI;
the official code has [B, T, C, h, w]. Attribute names are the checkpoint's.

Source: DropletVideo (arXiv 2503.06053); IEIT-AGI/DropletVideo transformer.py.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...canvas import in_words
from ...errors import UserError
from ..layers import Attend, sinusoids
from ..layers import attend as own_attend
from .blocks import AdaptiveNorm, Block, Build, Conditions
from .config import TransformerConfig
from .rope import rotary_table
from .rules import MULTIPLE


class DropletVideoTransformer(nn.Module):
    """Predicts velocity of latents of videos.

    Args:
        operations: the module that layers come from; a host may put in its own.
        attend: computes attention; a host may put in its own function.
    """

    def __init__(
        self,
        config: TransformerConfig,
        *,
        operations=nn,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
        attend: Attend = own_attend,
    ):
        super().__init__()
        self.config = config
        build = Build(config, operations, attend, {"dtype": dtype, "device": device})
        self.patch_embed = PatchEmbedding(build)
        self.time_embedding = NumberEmbedding(build)
        self.fps_embedding = NumberEmbedding(build)
        self.transformer_blocks = nn.ModuleList(Block(build) for _ in range(config.layers))
        self.norm_final = build.norm(config.channels)
        self.norm_out = AdaptiveNorm(build, parts=2)
        self.proj_out = build.linear(config.channels, config.patch**2 * config.out_channels)

    def forward(self, x: Tensor, timesteps: Tensor, *, context: Tensor, fps: Tensor) -> Tensor:
        """The velocity of every frame.

        Args:
            x: [B, in_channels, T, h, w]: noisy latents, then the mask, then latents of the given
                pictures. h and w are even.
            timesteps: [B] in 0..999.
            context: [B, L, text_channels] tokens of text; every one takes part.
            fps: [1] or [B], the frame rate: a lower one moves more from frame to frame.

        Returns:
            [B, out_channels, T, h, w].

        Raises:
            UserError: the size of the latents is odd, or they have other channels.
        """
        patch = self.config.patch
        _check(x, self.config)
        frames, grid = x.shape[2], (x.shape[3] // patch, x.shape[4] // patch)
        hidden = self.patch_embed(x, context)
        conditions = Conditions(
            F.silu(self._embed(timesteps, fps, x.dtype)),
            context.shape[1],
            *self._positions(context.shape[1], frames, grid, x.device),
        )
        for block in self.transformer_blocks:
            hidden = block(hidden, conditions)
        video = self.norm_final(hidden[:, context.shape[1] :])
        video = self.proj_out(self.norm_out(video, *self.norm_out.modulation(conditions)))
        video = video.unflatten(2, (-1, patch, patch)).unflatten(1, (frames, *grid))
        # [B, T, rows, columns, C, patch, patch] -> [B, C, T, rows, patch, columns, patch]
        return video.permute(0, 4, 1, 2, 5, 3, 6).flatten(5, 6).flatten(3, 4)

    def _embed(self, timesteps: Tensor, fps: Tensor, dtype: torch.dtype) -> Tensor:
        """[B, time_channels] of timestep and FPS."""
        channels = self.config.channels
        time = self.time_embedding(sinusoids(timesteps, channels).to(dtype))
        return time + self.fps_embedding(sinusoids(fps, channels).to(dtype))

    def _positions(
        self, num_text: int, frames: int, grid: tuple[int, int], device: torch.device
    ) -> tuple[Tensor, Tensor]:
        """Cosines and sines [L, 1, head_channels / 2] of the whole sequence."""
        cos, sin = rotary_table(frames, grid, self.config.head_channels)
        return tuple(
            F.pad(table[:, ::2].to(device), (0, 0, num_text, 0), value=unturned)[:, None]
            for table, unturned in ((cos, 1.0), (sin, 0.0))
        )


class PatchEmbedding(nn.Module):
    """Latents and text -> one sequence of tokens."""

    def __init__(self, build: Build):
        super().__init__()
        config = build.config
        self.proj = build.operations.Conv2d(
            config.in_channels, config.channels, config.patch, stride=config.patch, **build.make
        )
        self.text_proj = build.linear(config.text_channels, config.channels)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """[B, C, T, h, w] and [B, L, text_channels] -> [B, L + T * rows * columns, channels]."""
        patches = self.proj(x.transpose(1, 2).flatten(0, 1)).unflatten(0, (len(x), -1))
        video = patches.flatten(3).transpose(2, 3).flatten(1, 2)
        return torch.cat([self.text_proj(context), video], dim=1)


class NumberEmbedding(nn.Module):
    """Sinusoidal features [B, channels] of a number -> [B, time_channels]."""

    def __init__(self, build: Build):
        super().__init__()
        config = build.config
        self.linear_1 = build.linear(config.channels, config.time_channels)
        self.linear_2 = build.linear(config.time_channels, config.time_channels)

    def forward(self, features: Tensor) -> Tensor:
        return self.linear_2(F.silu(self.linear_1(features)))


def _check(x: Tensor, config: TransformerConfig) -> None:
    """Raise UserError unless latents can be cut into patches."""
    channels, height, width = x.shape[1], *x.shape[3:]
    if channels != config.in_channels:
        raise UserError(
            f"The latents have {channels} channels, but DropletVideo's transformer takes "
            f"{config.in_channels}: of noise, of a mask and of the given pictures."
        )
    if height % config.patch or width % config.patch:
        raise UserError(
            f"The latents are {in_words((height, width))}, but DropletVideo needs multiples of "
            f"{config.patch}: make height and width of the video multiples of {MULTIPLE}."
        )
