"""Stable Diffusion's VAE, from any file: diffusers' network."""

import torch

from ...errors import UserError
from ...models.kinds import MOST_CHANNELS
from ...models.svd import vae_key
from ...quoting import unquoted
from ...weights import Piece, find_prefix
from .parts import CheckedPart, Locate, PartFile, check_part, without_memory

VAE_MARK = "encoder.conv_in.weight"
VAE_LAYERS = 2  # residual blocks of each level of the encoder
VAE_LEVELS = 4
NORM_GROUPS = 32  # number of groups into which norms divide channels
SCALING_FACTOR = 0.18215
# Attention in older files of diffusers: name now -> name then.
OLD_ATTENTION = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def check_vae(part: PartFile, dtype: torch.dtype) -> CheckedPart:
    """Stable Diffusion's VAE: diffusers' network; in float32 instead of float16, which overflows.

    Raises:
        UserError: the file holds no such VAE.
    """
    from diffusers import AutoencoderKL

    locate = _find_vae(part)
    widths = [_width(part, locate, level) for level in range(VAE_LEVELS)]
    with without_memory():
        network = AutoencoderKL(
            latent_channels=4,
            block_out_channels=widths,
            down_block_types=["DownEncoderBlock2D"] * VAE_LEVELS,
            up_block_types=["UpDecoderBlock2D"] * VAE_LEVELS,
            layers_per_block=VAE_LAYERS,
            scaling_factor=SCALING_FACTOR,
        )
    dtype = torch.float32 if dtype == torch.float16 else dtype
    return check_part(network, part, dtype, what="the VAE of Stable Diffusion", locate=locate)


def _find_vae(part: PartFile) -> Locate:
    """Where the VAE's tensors lie: under the names of diffusers, or of the official checkpoints."""
    prefix = find_prefix(part.tensors, VAE_MARK)
    if prefix is None:
        raise UserError(f"{part.name} holds no VAE; expected the VAE of Stable Diffusion 1 or 2.")
    from_diffusers = any(key.startswith(f"{prefix}encoder.down_blocks.") for key in part.tensors)

    def locate(name: str) -> Piece:
        if not from_diffusers:
            return Piece(prefix + vae_key(name))
        key = prefix + name
        if key not in part.tensors:
            for now, then in OLD_ATTENTION.items():
                key = key.replace(f".{now}.", f".{then}.")
        return Piece(key)

    return locate


def _width(part: PartFile, locate: Locate, level: int) -> int:
    """Channels of a level of the VAE."""
    key = locate(f"encoder.down_blocks.{level}.resnets.0.conv1.bias").key
    shape = tuple(part.tensors[key].shape) if key in part.tensors else ()
    if len(shape) != 1 or shape[0] not in range(NORM_GROUPS, MOST_CHANNELS + 1, NORM_GROUPS):
        found = f"has the shape {shape}" if key in part.tensors else "is missing"
        raise UserError(
            f"{part.name} holds no VAE of Stable Diffusion 1 or 2: {unquoted(key)} {found}."
        )
    return shape[0]
