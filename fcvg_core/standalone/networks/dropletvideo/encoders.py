"""The networks around DropletVideo's transformer: text encoder and VAE, from any file."""

from typing import Any

import torch

from ....errors import UserError
from ....models.dropletvideo import t5
from ....models.dropletvideo.config import ModelSettings, VaeConfig
from ....models.dropletvideo.vae import FRAMES_A_CHUNK
from ....models.kinds import describe_kind
from ....weights import Piece, find_prefix
from ..parts import CheckedPart, PartFile, check_part, without_memory

VAE_MARK = "encoder.conv_in.conv.weight"
TOO_OLD = (
    "This diffusers is too old for the VAE of DropletVideo: pip install --upgrade diffusers gets a "
    "newer one."
)


def check_text_encoder(part: PartFile, dtype: torch.dtype) -> CheckedPart:
    """The encoder of T5 v1.1: transformers' network; in bfloat16 instead of float16.

    T5 overflows in float16, and a card that lacks bfloat16 computes these few tokens slowly, but
    right.

    Raises:
        UserError: the file holds no such encoder.
    """
    from transformers import T5Config, T5EncoderModel

    prefix = find_prefix(part.tensors, t5.MARK)
    if prefix is None:
        raise UserError(
            f"{part.name} holds {describe_kind(part.tensors)}; expected the text encoder "
            f"{t5.EXPECTED}."
        )
    shapes = {key.removeprefix(prefix): tuple(x.shape) for key, x in part.tensors.items()}
    sizes = t5.t5_sizes(shapes, name=part.name)
    config = T5Config(**sizes, feed_forward_proj="gated-gelu", dropout_rate=0.0)
    with without_memory():
        network = T5EncoderModel(config).encoder
    embedding = t5.embedding_name(shapes)

    def locate(name: str) -> Piece:
        name = embedding if name == "embed_tokens.weight" else f"encoder.{name}"
        return Piece(prefix + name)

    dtype = torch.bfloat16 if dtype == torch.float16 else dtype
    return check_part(network, part, dtype, what="the text encoder T5 v1.1", locate=locate)


def check_vae(
    part: PartFile, config: VaeConfig, settings: ModelSettings, dtype: torch.dtype
) -> CheckedPart:
    """CogVideoX's VAE: diffusers' network; in float32 instead of float16, which overflows.

    Args:
        config: sizes, from the tensors of the part.

    Raises:
        UserError: the file holds no such VAE, or diffusers is too old.
    """
    network = build_vae(config, settings)
    dtype = torch.float32 if dtype == torch.float16 else dtype
    return check_part(network, part, dtype, what="the VAE of DropletVideo")


def build_vae(config: VaeConfig, settings: ModelSettings) -> Any:
    """diffusers' network without weights, which encodes as the official one.

    Raises:
        UserError: diffusers is too old.
    """
    try:
        from diffusers import AutoencoderKLCogVideoX
    except ImportError as error:
        raise UserError(TOO_OLD) from error
    with without_memory():
        network = AutoencoderKLCogVideoX(
            block_out_channels=config.block_channels,
            layers_per_block=config.layers,
            latent_channels=config.latent_channels,
            norm_num_groups=config.norm_groups,
            scaling_factor=settings.scaling_factor,
        )
    if not hasattr(network, "num_sample_frames_batch_size"):
        raise UserError(TOO_OLD)
    # With diffusers' own number the latents are others.
    network.num_sample_frames_batch_size = FRAMES_A_CHUNK
    return network
