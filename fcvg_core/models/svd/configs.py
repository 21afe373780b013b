"""The values of SVD's config files, part by part, and what each value may be.

A size may be any size that such a network can have; the tensors of the weights file show whether
the size is right.
"""

from functools import partial
from typing import Any

from ...clip import CLIP_SIZE
from .. import config_rules
from ..config_rules import Rule, Rules, exactly, is_whole, whole

MODEL = "SVD"  # for messages
# Blocks of the UNet, and of the VAE. With another number the size of the latents would not be 1/8
# of the frame's size.
BLOCKS = 4
MAX_WIDTH, MAX_LAYERS, MAX_CLIP_LAYERS = 2**16, 16, 64  # a width is a number of channels
NORM_GROUPS = 32  # number of groups into which norms divide channels
HEAD_CHANNELS = 64  # channels of one attention head, in the UNet and in CLIP
CLIP_HEAD_CHANNELS = {1280: 80}  # by width; ViT-H, which SVD uses, differs from HEAD_CHANNELS
_about = partial(config_rules.about, model=MODEL)
_wrong = partial(config_rules.wrong_value, model=MODEL)


def _beginning(name: str) -> Rule:
    return Rule(name, name, lambda found: isinstance(found, str) and found.startswith(name))


def _per_block(default: int | list[int], most: int, expected: str) -> Rule:
    """A whole number, or a list with a whole number for each block."""
    return Rule(
        default,
        f"{expected}: a whole number from 1 to {most}, or {BLOCKS} of them",
        lambda found: (
            is_whole(found, most) or _is_list(found) and all(is_whole(item, most) for item in found)
        ),
    )


def _widths(default: list[int]) -> Rule:
    return Rule(
        default,
        f"a list of {BLOCKS} widths, each a multiple of {NORM_GROUPS}",
        lambda found: (
            _is_list(found)
            and all(is_whole(item, MAX_WIDTH) and item % NORM_GROUPS == 0 for item in found)
        ),
    )


def _names(default: list[str]) -> Rule:
    kinds = sorted(set(default))
    return Rule(
        default,
        f"a list of {BLOCKS}, each {' or '.join(kinds)}",
        lambda found: _is_list(found) and all(item in kinds for item in found),
    )


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and len(value) == BLOCKS


CLASS, CLIP_CLASS = CLASSES = ("_class_name", "model_type")  # they name the network's class
INDEX: Rules = {CLASS: _beginning("StableVideoDiffusionPipeline")}
UNET: Rules = {
    CLASS: _beginning("UNetSpatioTemporalCondition"),
    "in_channels": exactly(8),
    "out_channels": exactly(4),
    "addition_time_embed_dim": exactly(256),
    "projection_class_embeddings_input_dim": exactly(768),
    "block_out_channels": _widths([320, 640, 1280, 1280]),
    "down_block_types": _names(["CrossAttnDownBlockSpatioTemporal"] * 3
                               + ["DownBlockSpatioTemporal"]),
    "up_block_types": _names(["UpBlockSpatioTemporal"] + ["CrossAttnUpBlockSpatioTemporal"] * 3),
    "layers_per_block": _per_block(2, MAX_LAYERS, "layers"),
    "transformer_layers_per_block": _per_block(1, MAX_LAYERS, "layers"),
    "cross_attention_dim": _per_block(1024, MAX_WIDTH, "the projection_dim of CLIP"),
    "num_attention_heads": _per_block([5, 10, 20, 20], MAX_WIDTH,
                                      f"heads of {HEAD_CHANNELS} channels"),
}  # fmt: skip
VAE: Rules = {
    CLASS: _beginning("AutoencoderKLTemporalDecoder"),
    "in_channels": exactly(3),
    "out_channels": exactly(3),
    "latent_channels": exactly(4),
    "scaling_factor": _about(0.18215),
    "force_upcast": Rule(True, "true or false", lambda found: isinstance(found, bool)),
    "block_out_channels": _widths([128, 256, 512, 512]),
    "down_block_types": _names(["DownEncoderBlock2D"] * 4),
    "layers_per_block": whole(2, MAX_LAYERS),
}
IMAGE_ENCODER: Rules = {
    CLIP_CLASS: exactly("clip_vision_model"),
    "num_channels": exactly(3),
    "image_size": exactly(CLIP_SIZE),
    "patch_size": Rule(14, f"a divisor of {CLIP_SIZE}",
                       lambda found: is_whole(found, CLIP_SIZE) and CLIP_SIZE % found == 0),
    "hidden_size": whole(1280, MAX_WIDTH),
    "intermediate_size": whole(5120, MAX_WIDTH),
    "projection_dim": whole(1024, MAX_WIDTH),
    "num_hidden_layers": whole(32, MAX_CLIP_LAYERS),
    "num_attention_heads": whole(16, MAX_WIDTH),
    "hidden_act": exactly("gelu"),
    "layer_norm_eps": _about(1e-5),
}  # fmt: skip


def read_config(content: Any, rules: Rules, *, name: str) -> dict:
    """The values that have rules; if the file does not name a value, SVD's own value.

    Args:
        content: what the file holds: a table of values by name.
        rules: one of INDEX, UNET, VAE and IMAGE_ENCODER.
        name: name of the file, for messages.

    Raises:
        UserError: a value is wrong.
    """
    return config_rules.read_config(content, rules, name=name, model=MODEL)


def check_unet(config: dict, *, name: str) -> None:
    """Raise UserError unless each attention head of the UNet has as many channels as in SVD.

    Args:
        config: from `read_config`, with UNET.
    """
    widths, heads = config["block_out_channels"], config["num_attention_heads"]
    fitting = [width // HEAD_CHANNELS for width in widths]
    if any(width % HEAD_CHANNELS for width in widths) or per_block(heads) != fitting:
        raise _wrong(
            name,
            "num_attention_heads",
            heads,
            f"one for {HEAD_CHANNELS} of block_out_channels, {fitting}",
        )


def check_image_encoder(config: dict, *, name: str) -> None:
    """Raise UserError unless each attention head of CLIP has its usual number of channels.

    Args:
        config: from `read_config`, with IMAGE_ENCODER.
    """
    heads, width = config["num_attention_heads"], config["hidden_size"]
    channels = CLIP_HEAD_CHANNELS.get(width, HEAD_CHANNELS)
    if heads * channels != width:
        raise _wrong(
            name, "num_attention_heads", heads, f"one for {channels} of hidden_size, {width}"
        )


def check_together(unet: dict, image_encoder: dict, *, names: tuple[str, str]) -> None:
    """Raise UserError unless CLIP's embeddings have the length that the UNet needs.

    Args:
        names: names of the UNet's and of CLIP's config file, for messages.
    """
    needed, length = unet["cross_attention_dim"], image_encoder["projection_dim"]
    if any(number != length for number in per_block(needed)):
        raise _wrong(
            names[0],
            "cross_attention_dim",
            needed,
            f"{length}, which is projection_dim in {names[1]}",
        )


def per_block(value: int | list[int]) -> list[int]:
    """One number for each block."""
    return value if isinstance(value, list) else [value] * BLOCKS
