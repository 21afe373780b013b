"""Sizes and switches of the UNet, read from the names and shapes in its file."""

from collections.abc import Mapping
from typing import Any

from ...errors import UserError
from ..kinds import check_network, describe_kind, told_size
from .config import Config
from .network import UNet3D

HEAD_CHANNELS = 64  # of every published network; no shape in a file tells it
MOST_BLOCKS = 20  # of the encoder; the published networks have 12
ATTENTION = "middle_block.1.transformer_blocks.0."
INSIDE, OUTSIDE = "input_blocks.0.1.", "init_attn.0."


def unet3d_config(unet: Mapping[str, Any], *, name: str) -> Config:
    """Sizes and switches of a UNet whose file holds exactly the tensors that they need.

    Args:
        unet: tensors by name without prefix, or whatever else has `shape` and `dtype`.
        name: name of the file, for the message.

    Raises:
        UserError: the file holds something else, lacks a tensor or has a tensor too many.
    """
    shapes = {key: tuple(value.shape) for key, value in unet.items()}
    levels = _levels(shapes)
    width = told_size(shapes, "input_blocks.0.0.weight", 0)
    sizes = {
        "in_channels": told_size(shapes, "input_blocks.0.0.weight", 1),
        "out_channels": told_size(shapes, "out.2.weight", 0),
        "context_channels": told_size(shapes, f"{ATTENTION}attn2.to_k.weight", 1),
        "initial_heads": _initial_heads(shapes),
    }
    widths = [told_size(shapes, _resnet(blocks[-1]), 0) if blocks else 0 for blocks in levels]
    possible = width and width % HEAD_CHANNELS == 0 and all(w and w % width == 0 for w in widths)
    if not possible or not all(sizes.values()):
        raise UserError(
            f"{name} is {describe_kind(unet)}, but a UNet of DynamiCrafter or SMCD is needed: use "
            "the original file."
        )
    config = Config(
        **sizes,
        model_channels=width,
        channel_mult=tuple(w // width for w in widths),
        num_res_blocks=len(levels[0]),
        attention_levels=tuple(
            level
            for level, blocks in enumerate(levels)
            if f"input_blocks.{blocks[0]}.1.norm.weight" in shapes
        ),
        head_channels=HEAD_CHANNELS,
        **_switches(shapes),
    )
    check_network(unet, UNet3D(config, device="meta"), name=name)
    return config


def _levels(shapes: Mapping) -> list[list[int]]:
    """For each level of the encoder, the numbers of its input blocks with residual blocks."""
    levels: list[list[int]] = [[]]
    for block in range(1, MOST_BLOCKS):
        if _resnet(block) in shapes:
            levels[-1].append(block)
        elif any(name in shapes for name in _downsamplers(block)):
            levels.append([])
        else:
            break
    return levels


def _downsamplers(block: int) -> tuple[str, str]:
    """The two names that the weight of an input block's downsampler can have."""
    return f"input_blocks.{block}.0.op.weight", f"input_blocks.{block}.op.weight"


def _resnet(block: int) -> str:
    """Name of a weight whose first size is the number of channels after an input block."""
    return f"input_blocks.{block}.0.in_layers.2.weight"


def _initial_heads(shapes: Mapping) -> int:
    """Heads of the attention over frames after the first convolution."""
    where = INSIDE if f"{INSIDE}proj_in.weight" in shapes else OUTSIDE
    return told_size(shapes, f"{where}proj_in.weight", 0) // HEAD_CHANNELS


def _switches(shapes: Mapping) -> dict[str, Any]:
    """The switches of a UNet."""
    image_attention, gate = None, None
    if f"{ATTENTION}attn2.to_k_ip.weight" in shapes:
        image_attention = "learned" if f"{ATTENTION}attn2.alpha" in shapes else "added"
    if f"{ATTENTION}gate_attn.alpha_attn" in shapes:
        with_image = f"{ATTENTION}gate_attn.cross_alpha_attn" in shapes
        gate = "objects and image" if with_image else "objects"
    return {
        "initial_inside": f"{INSIDE}proj_in.weight" in shapes,
        "conv_projections": len(shapes.get("middle_block.2.proj_in.weight", ())) == 3,
        "bare_downsamplers": any(
            key.endswith(".op.weight") and ".0.op." not in key for key in shapes
        ),
        "takes_rate": "fps_embedding.0.weight" in shapes,
        "image_attention": image_attention,
        "gate": gate,
    }
