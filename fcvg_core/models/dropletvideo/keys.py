"""Sizes of DropletVideo's networks, read from the names and shapes in their files.

Source: IEIT-AGI/DropletVideo transformer.py, vae.py.
Differs: the official loader cuts or widens a first layer that does not fit, and leaves out other
tensors; here a file must fit.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ...errors import UserError
from ..config_rules import is_whole
from ..kinds import (
    COGVIDEO,
    COGVIDEO_VAE,
    DROPLET,
    MOST_CHANNELS,
    MOST_LAYERS,
    check_network,
    describe_kind,
    told_count,
    told_size,
)
from .config import TransformerConfig, VaeConfig
from .network import DropletVideoTransformer
from .rope import HEAD_MULTIPLE
from .settings import ROTARY, check_rotary, check_told, refuse_value
from .vae import VideoVae

OFFICIAL = "{}/diffusion_pytorch_model.safetensors of DropletX/DropletVideo-5B"
PATCH = TransformerConfig.patch
LATENT_CHANNELS = VaeConfig.latent_channels
# Of noise, of the mask and of the given pictures. The settings of a run make no other input.
IN_CHANNELS = TransformerConfig.in_channels
SMALL_CHANNELS = 1920  # of a token of CogVideoX-2B, which has no rotary positions
ADDED_POSITIONS = ("pos_embedding", "patch_embed.pos_embedding")
LEVELS = 4  # of the VAE: three halvings of height and width
NORM_GROUPS = VaeConfig.norm_groups
# Field of TransformerConfig -> its name in config.json, if the name is another one.
TOLD = {
    "layers": "num_layers",
    "heads": "num_attention_heads",
    "head_channels": "attention_head_dim",
    "time_channels": "time_embed_dim",
    "text_channels": "text_embed_dim",
}
NOTHING: Mapping[str, Any] = MappingProxyType({})


def transformer_config(
    state_dict: Mapping[str, Any], *, name: str, told: Mapping[str, Any] = NOTHING
) -> TransformerConfig:
    """Sizes of a transformer whose file holds exactly the tensors that they need.

    Args:
        state_dict: tensors by name without prefix; the meta device is allowed.
        name: name of the file, for messages.
        told: what transformer/config.json holds; empty without this file.

    Raises:
        UserError: the file holds something else, lacks a tensor or has a tensor too many, or
            transformer/config.json contradicts it.
    """
    shapes = {key: tuple(value.shape) for key, value in state_dict.items()}
    _check_kind(shapes, name=name)
    _check_positions(shapes, name=name, told=told)
    sizes = _transformer_sizes(shapes, name=name)
    found = {TOLD.get(field, field): size for field, size in sizes.items()}
    check_told(told, found, part="transformer", name=name)
    config = TransformerConfig(**sizes)
    check_network(state_dict, DropletVideoTransformer(config, device="meta"), name=name)
    return config


def vae_config(
    state_dict: Mapping[str, Any], *, name: str, told: Mapping[str, Any] = NOTHING
) -> VaeConfig:
    """Sizes of a VAE whose file holds exactly the tensors that they need.

    No tensor tells into how many groups norms divide channels: vae/config.json does, and without
    it the groups are as many as divide all channels, at most 32.

    Args:
        state_dict: tensors by name without prefix; the meta device is allowed.
        name: name of the file, for messages.
        told: what vae/config.json holds; empty without this file.

    Raises:
        UserError: the file holds something else, lacks a tensor or has a tensor too many, or
            vae/config.json contradicts it.
    """
    kind = describe_kind(state_dict)
    if kind != COGVIDEO_VAE:
        raise UserError(
            f"{name} is {kind}, but the VAE of DropletVideo or CogVideoX is needed: use "
            f"{OFFICIAL.format('vae')}."
        )
    shapes = {key: tuple(value.shape) for key, value in state_dict.items()}
    sizes = _vae_sizes(shapes, name=name)
    widths = sizes["block_channels"]
    found = {
        "block_out_channels": list(widths),
        "layers_per_block": sizes["layers"],
        "latent_channels": sizes["latent_channels"],
    }
    check_told(told, found, part="vae", name=name)
    config = VaeConfig(**sizes, norm_groups=_norm_groups(widths, told))
    check_network(state_dict, VideoVae(config, device="meta"), name=name)
    return config


def _check_kind(shapes: Mapping, *, name: str) -> None:
    """Raise UserError unless a file's names are those of DropletVideo's transformer."""
    kind = describe_kind(shapes)
    remedy = f"use {OFFICIAL.format('transformer')}."
    if kind == COGVIDEO:
        size = " of the size 2B" * _is_small(shapes)
        raise UserError(
            f"{name} is {kind}{size} without fps_embedding, by which DropletVideo takes the FPS: "
            f"{remedy}"
        )
    if kind != DROPLET:
        raise UserError(f"{name} is {kind}, but DropletVideo's transformer is needed: {remedy}")


def _check_positions(shapes: Mapping, *, name: str, told: Mapping[str, Any]) -> None:
    """Raise UserError unless a transformer has rotary positions."""
    check_rotary(told)
    added = next((key for key in ADDED_POSITIONS if key in shapes), None)
    if added or _is_small(shapes) and ROTARY not in told:
        sign = f"it holds {added}" if added else f"it has {SMALL_CHANNELS} channels"
        raise UserError(
            f"{name} has no rotary positions, as models of the size 2B ({sign}), but DropletVideo "
            f"has: use {OFFICIAL.format('transformer')}."
        )


def _is_small(shapes: Mapping) -> bool:
    """Whether a transformer has the width of CogVideoX-2B."""
    return told_size(shapes, "patch_embed.proj.weight", 0) == SMALL_CHANNELS


def _transformer_sizes(shapes: Mapping, *, name: str) -> dict[str, int]:
    """Fields of TransformerConfig that the tensors tell; raise UserError for impossible ones."""
    channels = told_size(shapes, "patch_embed.proj.weight", 0)
    head_channels = told_size(shapes, "transformer_blocks.0.attn1.norm_q.weight", 0)
    sizes = {
        "layers": told_count(shapes, "transformer_blocks.{}.attn1.norm_q.weight"),
        "heads": channels // head_channels if head_channels else 0,
        "head_channels": head_channels,
        "in_channels": told_size(shapes, "patch_embed.proj.weight", 1),
        "out_channels": told_size(shapes, "proj_out.weight", 0) // PATCH**2,
        "time_channels": told_size(shapes, "time_embedding.linear_1.weight", 0),
        "text_channels": told_size(shapes, "patch_embed.text_proj.weight", 1),
    }
    possible = all(sizes.values()) and head_channels % HEAD_MULTIPLE == 0
    if not possible or sizes["layers"] > MOST_LAYERS or channels != sizes["heads"] * head_channels:
        raise UserError(
            f"{name} is {DROPLET}, but its sizes are not possible: {channels} channels, heads of "
            f"{head_channels}, {sizes['layers']} layers. Use {OFFICIAL.format('transformer')}."
        )
    if (sizes["in_channels"], sizes["out_channels"]) != (IN_CHANNELS, LATENT_CHANNELS):
        raise UserError(
            f"{name} takes {sizes['in_channels']} channels and gives {sizes['out_channels']}, but "
            f"{IN_CHANNELS} (noise, mask and pictures) and {LATENT_CHANNELS} are expected: use "
            f"{OFFICIAL.format('transformer')}."
        )
    return sizes


def _vae_sizes(shapes: Mapping, *, name: str) -> dict[str, Any]:
    """Fields of VaeConfig that the tensors tell; raise UserError for impossible ones."""
    block = "encoder.down_blocks.{}.resnets.{}.conv1.conv.weight"
    widths = tuple(told_size(shapes, block.format(level, 0), 0) for level in range(LEVELS))
    layers = told_count(shapes, block.format(0, "{}"))
    latent_channels = told_size(shapes, "decoder.conv_in.conv.weight", 1)
    if not all(widths) or not 0 < layers <= MOST_LAYERS or latent_channels != LATENT_CHANNELS:
        raise UserError(
            f"{name} is {COGVIDEO_VAE}, but its sizes are not possible: levels of "
            f"{', '.join(map(str, widths))} channels, {layers} layers, latents of "
            f"{latent_channels} channels. Use {OFFICIAL.format('vae')}."
        )
    return {"block_channels": widths, "layers": layers, "latent_channels": latent_channels}


def _norm_groups(widths: tuple[int, ...], told: Mapping[str, Any]) -> int:
    """Into how many groups norms divide channels."""
    groups = told.get("norm_num_groups", math.gcd(NORM_GROUPS, *widths))
    if not is_whole(groups, MOST_CHANNELS) or any(width % groups for width in widths):
        divisors = f"a divisor of the channels {', '.join(map(str, widths))}"
        raise refuse_value("vae", "norm_num_groups", groups, divisors)
    return groups
