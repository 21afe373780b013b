"""The 3-D UNet of DynamiCrafter and SMCD: the UNet of Stable Diffusion 2 with layers over frames.

Frames lie in the batch, as in ComfyUI. Attribute names are the checkpoint's.

Source: DynamiCrafter (arXiv 2310.12190); Doubiiu/DynamiCrafter
lvdm/modules/networks/openaimodel3d.py:281-602.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ...canvas import in_words
from ...errors import UserError
from ..layers import Attend, sinusoids
from ..layers import attend as own_attend
from .config import Build, Conditions, Config
from .layers import NORM_GROUPS, Downsample, Layers, ResBlock, Upsample
from .transformers import SpatialTransformer, TemporalTransformer

Control = Mapping[str, Sequence[Tensor | None]]


class UNet3D(nn.Module):
    """Predicts noise, or velocity, of latents of videos.

    Args:
        operations: the module that layers come from; a host may put in its own.
        attend: computes attention; a host may put in its own function.
    """

    def __init__(
        self,
        config: Config,
        *,
        operations=nn,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
        attend: Attend = own_attend,
    ):
        super().__init__()
        self.config = config
        build = Build(config, operations, attend, {"dtype": dtype, "device": device})
        self.time_embed = _embedding(build)
        if config.takes_rate:
            self.fps_embedding = _embedding(build)
        first = operations.Conv2d(
            config.in_channels, config.model_channels, 3, padding=1, **build.make
        )
        initial = TemporalTransformer(
            config.model_channels,
            build,
            inner=config.initial_heads * config.head_channels,
            conv=True,
        )
        if not config.initial_inside:
            self.init_attn = Layers([initial])
        self.input_blocks = nn.ModuleList([Layers([first])])
        if config.initial_inside:
            self.input_blocks[0].append(initial)
        blocks, skips = _encoder(build)
        self.input_blocks.extend(blocks)
        self.middle_block = _middle(build)
        self.output_blocks = _decoder(build, skips)
        self.out = nn.Sequential(
            operations.GroupNorm(NORM_GROUPS, config.model_channels, **build.make),
            nn.SiLU(),
            operations.Conv2d(
                config.model_channels, config.out_channels, 3, padding=1, **build.make
            ),
        )

    def forward(
        self,
        latents: Tensor,
        timesteps: Tensor,
        text: Tensor,
        *,
        num_frames: int,
        image_tokens: Tensor | None = None,
        rate: Tensor | None = None,
        objects: Tensor | None = None,
        control: Control | None = None,
    ) -> Tensor:
        """The prediction for every frame.

        Args:
            latents: [N, in_channels, h, w], noisy latents before image latents. N is a number of
                videos times `num_frames`; the frames of a video lie one after another. h and w
                are multiples of 2 to the number of halvings.
            timesteps: [N] in 0..999.
            text: [N, L, D] tokens.
            image_tokens: [N, n, D], or None: the network sees no picture beside the latents.
            rate: [N], frames a second or a frame stride; None: `config.default_rate`.
            objects: [N, m, D] tokens for SMCD's gate; None: the gate is skipped.
            control: residuals of a ControlNet in ComfyUI's form, lists under "input", "middle"
                and "output". A residual is added to the hidden state after an input block, after
                the middle block, or to a skip connection before it is concatenated; each place
                takes the last entry that is left. An entry may be None.

        Returns:
            [N, out_channels, h, w].
        """
        _check(self.config, latents, num_frames)
        embedding = self._embed(timesteps, rate, latents.dtype)
        conditions = Conditions(num_frames, embedding, text, image_tokens, objects)
        left = {name: list(residuals) for name, residuals in (control or {}).items()}
        hidden = _add_residual(self._enter(latents, conditions), left, "input")
        skips = [hidden]
        for block in self.input_blocks[1:]:
            hidden = _add_residual(block(hidden, conditions), left, "input")
            skips.append(hidden)
        hidden = _add_residual(self.middle_block(hidden, conditions), left, "middle")
        for block in self.output_blocks:
            skip = _add_residual(skips.pop(), left, "output")
            hidden = block(torch.cat([hidden, skip], dim=1), conditions)
        return self.out(hidden)

    def _embed(self, timesteps: Tensor, rate: Tensor | None, dtype: torch.dtype) -> Tensor:
        """[N, embedding_channels] of timestep and rate."""
        channels = self.config.model_channels
        embedding = self.time_embed(sinusoids(timesteps, channels).to(dtype))
        if not self.config.takes_rate:
            return embedding
        if rate is None:
            rate = torch.full_like(timesteps, self.config.default_rate)
        return embedding + self.fps_embedding(sinusoids(rate, channels).to(dtype))

    def _enter(self, latents: Tensor, conditions: Conditions) -> Tensor:
        """The first hidden state: [N, model_channels, h, w]."""
        hidden = self.input_blocks[0][0](latents)
        rest = self.input_blocks[0][1:] if self.config.initial_inside else self.init_attn
        return rest(hidden, conditions)


def _check(config: Config, latents: Tensor, num_frames: int) -> None:
    """Raise an error unless the latents are whole videos of a size that can be halved."""
    count, _, height, width = latents.shape
    if num_frames < 1 or count % num_frames:
        raise ValueError(f"got {count} frames, expected a multiple of {num_frames}")
    factor = 2**config.halvings
    if height % factor or width % factor:
        raise UserError(
            f"The latents are {in_words((height, width))}, but this model needs multiples of "
            f"{factor}: make height and width of the video multiples of {8 * factor}."
        )


def _add_residual(hidden: Tensor, left: dict[str, list], place: str) -> Tensor:
    """A hidden state with the last residual that is left for a place."""
    residual = left[place].pop() if left.get(place) else None
    if residual is None:
        return hidden
    if residual.shape != hidden.shape:
        raise UserError(
            f"The ControlNet gives {tuple(residual.shape)} (frames, channels, height, width), but "
            f"the model takes {tuple(hidden.shape)}: use a ControlNet of Stable Diffusion 2.1."
        )
    return hidden + residual.to(hidden)


def _embedding(build: Build) -> nn.Sequential:
    """Sinusoidal features [N, model_channels] -> [N, embedding_channels]."""
    linear, width = build.operations.Linear, build.config.embedding_channels
    return nn.Sequential(
        linear(build.config.model_channels, width, **build.make),
        nn.SiLU(),
        linear(width, width, **build.make),
    )


def _encoder(build: Build) -> tuple[list[nn.Module], list[int]]:
    """Input blocks but the first, and the channels of all skip connections."""
    config = build.config
    channels = config.model_channels
    blocks, skips = [], [channels]
    for level, multiple in enumerate(config.channel_mult):
        for _ in range(config.num_res_blocks):
            out_channels = multiple * config.model_channels
            blocks.append(Layers(_stage(channels, out_channels, level, build)))
            channels = out_channels
            skips.append(channels)
        if level < config.halvings:
            downsample = Downsample(channels, build)
            blocks.append(downsample if config.bare_downsamplers else Layers([downsample]))
            skips.append(channels)
    return blocks, skips


def _middle(build: Build) -> Layers:
    """Two residual blocks around attention."""
    channels = build.config.channel_mult[-1] * build.config.model_channels
    return Layers(
        [
            ResBlock(channels, channels, build),
            *_transformers(channels, build),
            ResBlock(channels, channels, build),
        ]
    )


def _decoder(build: Build, skips: list[int]) -> nn.ModuleList:
    """Output blocks; each takes a skip connection, the last one first."""
    config, skips = build.config, list(skips)
    channels, blocks = skips[-1], nn.ModuleList()
    for level, multiple in reversed(list(enumerate(config.channel_mult))):
        for index in range(config.num_res_blocks + 1):
            out_channels = multiple * config.model_channels
            layers = _stage(channels + skips.pop(), out_channels, level, build)
            channels = out_channels
            if level and index == config.num_res_blocks:
                layers.append(Upsample(channels, build))
            blocks.append(Layers(layers))
    return blocks


def _stage(channels: int, out_channels: int, level: int, build: Build) -> list[nn.Module]:
    """A residual block and, on some levels, attention."""
    layers = [ResBlock(channels, out_channels, build)]
    if level in build.config.attention_levels:
        layers += _transformers(out_channels, build)
    return layers


def _transformers(channels: int, build: Build) -> list[nn.Module]:
    """Attention over pixels, then over frames."""
    conv = build.config.conv_projections
    return [SpatialTransformer(channels, build), TemporalTransformer(channels, build, conv=conv)]
