"""The networks around DropletVideo's transformer: text encoder and VAE, from any file."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ....errors import UserError
from ....models.dropletvideo.config import ModelSettings, VaeConfig
from ....models.dropletvideo.vae import FRAMES_A_CHUNK
from ....models.kinds import MOST_CHANNELS, MOST_LAYERS, describe_kind
from ....quoting import unquoted
from ....weights import Piece, find_prefix
from ..parts import CheckedPart, PartFile, check_part, without_memory

T5_MARK = "encoder.block.0.layer.0.SelfAttention.q.weight"
T5_WIDE = "encoder.block.0.layer.1.DenseReluDense.wi_0.weight"
T5_BIAS = "encoder.block.{}.layer.0.SelfAttention.relative_attention_bias.weight"
VAE_MARK = "encoder.conv_in.conv.weight"
MOST_TOKENS = 2**17  # of a vocabulary; T5's has 32128
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

    prefix = find_prefix(part.tensors, T5_MARK)
    if prefix is None:
        raise UserError(
            f"{part.name} holds {describe_kind(part.tensors)}; expected the text encoder T5 v1.1 "
            "XXL, such as t5xxl_fp16.safetensors."
        )
    tensors = {key.removeprefix(prefix): x for key, x in part.tensors.items()}
    config = T5Config(**_t5_sizes(tensors, part.name))
    with without_memory():
        network = T5EncoderModel(config).encoder
    embedding = _embedding(tensors)

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


def _t5_sizes(tensors: Mapping[str, Tensor], name: str) -> dict[str, Any]:
    """Values of transformers' T5Config for the encoder in a file."""
    if T5_BIAS.format(1) in tensors:
        raise UserError(
            f"{name} holds UMT5, the text encoder of Wan; expected T5 v1.1 XXL, such as "
            "t5xxl_fp16.safetensors."
        )

    def shape(key: str, *most: int) -> tuple[int, ...]:
        found = tuple(tensors[key].shape) if key in tensors else ()
        if len(found) != len(most) or not all(
            0 < size <= limit for size, limit in zip(found, most, strict=True)
        ):
            fault = f"has the shape {found}" if key in tensors else "is missing"
            raise UserError(
                f"{name} does not hold the text encoder T5 v1.1: {unquoted(key)} {fault}. Use "
                "t5xxl_fp16.safetensors, or the folder of DropletVideo."
            )
        return found

    vocabulary, width = shape(_embedding(tensors), MOST_TOKENS, MOST_CHANNELS)
    buckets, heads = shape(T5_BIAS.format(0), MOST_CHANNELS, MOST_CHANNELS)
    inner, _ = shape(T5_MARK, MOST_CHANNELS, MOST_CHANNELS)
    wide, _ = shape(T5_WIDE, 4 * MOST_CHANNELS, MOST_CHANNELS)
    layers = 0
    while layers < MOST_LAYERS and T5_MARK.replace("0", str(layers), 1) in tensors:
        layers += 1
    return {
        "vocab_size": vocabulary,
        "d_model": width,
        "d_kv": max(inner // heads, 1),
        "d_ff": wide,
        "num_layers": layers,
        "num_heads": heads,
        "relative_attention_num_buckets": buckets,
        "feed_forward_proj": "gated-gelu",
        "dropout_rate": 0.0,
    }


def _embedding(tensors: Mapping[str, Tensor]) -> str:
    """Name of the tensor with a vector for each token, which files have under either name."""
    own = "encoder.embed_tokens.weight"
    return own if own in tensors else "shared.weight"
