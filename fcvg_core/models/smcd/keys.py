"""Sizes of SMCD's networks, read from the names and shapes in their files.

The authors' training program writes pytorch_model.bin (UNet), pytorch_model_1.bin (PositionNet) and
pytorch_model_2.bin (visual encoder) into one folder.

Source: Mingxiao-Li/Animate-Your-Motion ms_main.py, inference_customize.py.
"""

from collections.abc import Mapping
from typing import Any

from ...errors import UserError
from ..kinds import MOST_LAYERS, check_network, describe_kind, told_size
from ..unet3d import Config, unet3d_config
from .position_net import POSITION_CHANNELS, PositionNet, PositionNetConfig
from .rules import FILE_NAMES, NETWORKS, POSITION_NET, UNET, VISUAL_ENCODER
from .visual_encoder import VisualEncoder, VisualEncoderConfig

OFFICIAL = {
    network: f"{name} of Lixiaoming/Animate-Your-Motion"
    for network, name in zip(NETWORKS, FILE_NAMES[0], strict=True)
}
WORDS = {UNET: "UNet", POSITION_NET: "PositionNet", VISUAL_ENCODER: "visual encoder"}
LATENT_CHANNELS = VisualEncoderConfig.in_channels


def smcd_unet_config(unet: Mapping[str, Any], *, name: str) -> Config:
    """Sizes of SMCD's UNet, which takes objects and the first frame.

    Args:
        unet: tensors by name, or whatever else has `shape` and `dtype`.
        name: name of the file, for the message.

    Raises:
        UserError: the file holds something else, lacks a tensor, or is of the first stage of
            training, which knows objects alone.
    """
    config = unet3d_config(unet, name=name)
    if config.gate is None:
        raise UserError(
            f"{name} is {describe_kind(unet)}, but SMCD's UNet is needed: use {OFFICIAL[UNET]}."
        )
    if config.gate == "objects" or config.in_channels != 2 * LATENT_CHANNELS:
        raise UserError(
            f"{name} is a UNet of SMCD's first stage of training, which knows boxes but no "
            f"picture: use the one of the second stage, {OFFICIAL[UNET]}."
        )
    return config


def position_net_config(tensors: Mapping[str, Any], *, name: str) -> PositionNetConfig:
    """Sizes of PositionNet; see `smcd_unet_config` for the arguments and errors."""
    shapes = _shapes(tensors)
    labels = told_size(shapes, "null_positive_feature", 0)
    features = told_size(shapes, "linears.4.weight", 0)
    positions = told_size(shapes, "null_position_feature", 0)
    if not labels or not features or positions != POSITION_CHANNELS:
        raise _wrong(tensors, name, POSITION_NET)
    config = PositionNetConfig(in_channels=labels, out_channels=features)
    check_network(tensors, PositionNet(config, device="meta"), name=name)
    return config


def visual_encoder_config(tensors: Mapping[str, Any], *, name: str) -> VisualEncoderConfig:
    """Sizes of the visual encoder; see `smcd_unet_config` for the arguments and errors."""
    shapes, widths = _shapes(tensors), []
    while width := told_size(shapes, f"body.{len(widths)}.block1.weight", 0):
        widths.append(width)
    firsts = [i for i in range(len(widths)) if f"body.{i}.down_opt.op.weight" in tensors]
    blocks = firsts[0] if firsts else len(widths)
    levels = len(firsts) + 1
    latents = told_size(shapes, "conv_in.weight", 1)
    if not latents or not 0 < len(widths) <= MOST_LAYERS or len(widths) != blocks * levels:
        raise _wrong(tensors, name, VISUAL_ENCODER)
    config = VisualEncoderConfig(
        in_channels=latents, channels=tuple(widths[::blocks]), blocks=blocks
    )
    check_network(tensors, VisualEncoder(config, device="meta"), name=name)
    return config


def _shapes(tensors: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in tensors.items()}


def _wrong(tensors: Mapping[str, Any], name: str, network: str) -> UserError:
    return UserError(
        f"{name} is {describe_kind(tensors)}, but SMCD's {WORDS[network]} is needed: use "
        f"{OFFICIAL[network]}."
    )
