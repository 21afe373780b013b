"""Sizes of the UNet, and the switches in which DynamiCrafter and SMCD differ."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..layers import Attend

# How image tokens enter the cross-attention of spatial blocks: not at all; as a second attention
# that is added; or the same with a learned factor.
IMAGE_ATTENTIONS = (None, "added", "learned")
# What the gate of spatial blocks takes in: there is no gate; objects; or objects and image tokens.
GATES = (None, "objects", "objects and image")


@dataclass(frozen=True)
class Config:
    """Sizes and switches of the UNet; the defaults are those of DynamiCrafter at full size.

    Attributes:
        in_channels: channels of noisy latents and image latents together.
        out_channels: channels of the prediction.
        model_channels: channels at the finest level.
        channel_mult: for each level, its channels as a multiple of `model_channels`.
        num_res_blocks: residual blocks of each level of the encoder; the decoder has one more.
        attention_levels: levels whose residual blocks are followed by attention; 0 is the finest.
        head_channels: channels of an attention head.
        context_channels: width of text tokens, image tokens and objects.
        initial_heads: heads of the attention over frames after the first convolution.
        initial_inside: whether this attention is `input_blocks.0.1`; otherwise `init_attn.0`.
        conv_projections: whether attention over frames has Conv1d projections; otherwise Linear.
        bare_downsamplers: whether a downsampler is `input_blocks.N.op`; otherwise
            `input_blocks.N.0.op`.
        takes_rate: whether the network was trained with a frame rate or a frame stride.
        default_rate: the rate of a call that names none.
        image_attention: one of IMAGE_ATTENTIONS.
        gate: one of GATES.
    """

    in_channels: int = 8
    out_channels: int = 4
    model_channels: int = 320
    channel_mult: tuple[int, ...] = (1, 2, 4, 4)
    num_res_blocks: int = 2
    attention_levels: tuple[int, ...] = (0, 1, 2)
    head_channels: int = 64
    context_channels: int = 1024
    initial_heads: int = 8
    initial_inside: bool = False
    conv_projections: bool = False
    bare_downsamplers: bool = False
    takes_rate: bool = True
    default_rate: int = 24
    image_attention: str | None = "added"
    gate: str | None = None

    @property
    def embedding_channels(self) -> int:
        """Channels of the embedding of timestep and rate."""
        return 4 * self.model_channels

    @property
    def halvings(self) -> int:
        """How often height and width of the latents are halved."""
        return len(self.channel_mult) - 1


@dataclass(frozen=True, eq=False)
class Build:
    """What every layer is built from.

    Attributes:
        operations: the module that layers come from, for example `torch.nn`.
        make: `dtype` and `device` of weights.
    """

    config: Config
    operations: Any
    attend: Attend
    make: dict

    def heads(self, channels: int) -> int:
        """Number of attention heads for a hidden state with this many channels."""
        return channels // self.config.head_channels


@dataclass(frozen=True, eq=False)
class Conditions:
    """What every layer is told beside the hidden state; V videos of T frames, N = V * T.

    Attributes:
        num_frames: T. The frames of a video lie one after another in the batch.
        embedding: [N, embedding_channels] of timestep and rate.
        text: [N, L, D] tokens.
        image: [N, n, D] tokens, or None.
        objects: [N, m, D] tokens, or None.
    """

    num_frames: int
    embedding: Tensor
    text: Tensor
    image: Tensor | None = None
    objects: Tensor | None = None
