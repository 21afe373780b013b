"""Published key names of SVD -> ComfyUI's.

FCVG's `unet.safetensors` has diffusers' names. To fit the host's SVD, a UNet needs only
other names. The VAE also needs two linear layers as convolutions.
"""

import re

import torch
from torch import Tensor

from ...weights import FLOATS, Shapes, StateDict

# (pattern, replacement), applied in this order.
_UNET_BLOCKS = (
    (r"^conv_in\.", lambda m: "input_blocks.0.0."),
    (r"^conv_norm_out\.", lambda m: "out.0."),
    (r"^conv_out\.", lambda m: "out.2."),
    (r"^time_embedding\.linear_(\d)\.", lambda m: f"time_embed.{2 * int(m[1]) - 2}."),
    (r"^add_embedding\.linear_(\d)\.", lambda m: f"label_emb.0.{2 * int(m[1]) - 2}."),
    (
        r"^down_blocks\.(\d)\.(resnets|attentions)\.(\d)\.",
        lambda m: f"input_blocks.{1 + 3 * int(m[1]) + int(m[3])}.{_slot(m[2])}.",
    ),
    (
        r"^down_blocks\.(\d)\.downsamplers\.0\.conv\.",
        lambda m: f"input_blocks.{3 + 3 * int(m[1])}.0.op.",
    ),
    (r"^mid_block\.resnets\.(\d)\.", lambda m: f"middle_block.{2 * int(m[1])}."),
    (r"^mid_block\.attentions\.0\.", lambda m: "middle_block.1."),
    (
        r"^up_blocks\.(\d)\.(resnets|attentions)\.(\d)\.",
        lambda m: f"output_blocks.{3 * int(m[1]) + int(m[3])}.{_slot(m[2])}.",
    ),
    (  # the first up block has no attention, so its upsampler moves up by one
        r"^up_blocks\.(\d)\.upsamplers\.0\.",
        lambda m: f"output_blocks.{3 * int(m[1]) + 2}.{1 if m[1] == '0' else 2}.",
    ),
)
_RESNET_LAYERS = (
    (r"\.spatial_res_block\.", lambda m: "."),
    (r"\.temporal_res_block\.", lambda m: ".time_stack."),
    (r"\.norm1\.", lambda m: ".in_layers.0."),
    (r"\.conv1\.", lambda m: ".in_layers.2."),
    (r"\.time_emb_proj\.", lambda m: ".emb_layers.1."),
    (r"\.norm2\.", lambda m: ".out_layers.0."),
    (r"\.conv2\.", lambda m: ".out_layers.3."),
    (r"\.conv_shortcut\.", lambda m: ".skip_connection."),
)
_ATTENTION_LAYERS = (
    (r"\.temporal_transformer_blocks\.", lambda m: ".time_stack."),
    (r"\.time_pos_embed\.linear_(\d)\.", lambda m: f".time_pos_embed.{2 * int(m[1]) - 2}."),
)
_VAE_LAYERS = (
    (r"\.mid_block\.resnets\.(\d)\.", lambda m: f".mid.block_{int(m[1]) + 1}."),
    (r"\.mid_block\.attentions\.0\.group_norm\.", lambda m: ".mid.attn_1.norm."),
    (r"\.mid_block\.attentions\.0\.to_([qkv])\.", lambda m: f".mid.attn_1.{m[1]}."),
    (r"\.mid_block\.attentions\.0\.to_out\.0\.", lambda m: ".mid.attn_1.proj_out."),
    (r"\.down_blocks\.(\d)\.resnets\.(\d)\.", lambda m: f".down.{m[1]}.block.{m[2]}."),
    (r"\.down_blocks\.(\d)\.downsamplers\.0\.", lambda m: f".down.{m[1]}.downsample."),
    (r"\.up_blocks\.(\d)\.resnets\.(\d)\.", lambda m: f".up.{3 - int(m[1])}.block.{m[2]}."),
    (r"\.up_blocks\.(\d)\.upsamplers\.0\.", lambda m: f".up.{3 - int(m[1])}.upsample."),
    (r"\.conv_norm_out\.", lambda m: ".norm_out."),
    (r"\.time_conv_out\.", lambda m: ".conv_out.time_mix_conv."),
    (r"\.time_mixer\.mix_factor$", lambda m: ".mix_factor"),
    (r"\.spatial_res_block\.", lambda m: "."),
)
_VAE_TEMPORAL_LAYERS = _RESNET_LAYERS[1:]  # a time stack has the UNet's names
# The last layer of diffusers' encoder, which `rename_vae` removes.
QUANT_CONV: Shapes = {"quant_conv.weight": (8, 8, 1, 1), "quant_conv.bias": (8,)}
_LAST_LAYER = "encoder.conv_out"  # comes before `quant_conv`
_VAE_PLAIN_LAYERS = ((r"\.conv_shortcut\.", lambda m: ".nin_shortcut."),)


def rename_unet(state_dict: StateDict) -> StateDict:
    """SVD's UNet, whole or in part, under the host's names; the tensors are not copied.

    Keys that are the host's already stay, but lose a checkpoint's prefix.
    """
    return {
        _unet_key(key.removeprefix("model.diffusion_model.")): value
        for key, value in state_dict.items()
    }


def rename_vae(state_dict: StateDict) -> StateDict:
    """diffusers' AutoencoderKLTemporalDecoder under the host's names.

    The host's attention consists of 1x1 convolutions. The host's encoder has no `quant_conv`;
    this linear layer of diffusers is folded into the convolution before it.
    """
    rest = dict(state_dict)
    folded = _fold_linear(
        *(
            rest.get(f"{layer}.{part}")
            for layer in ("quant_conv", _LAST_LAYER)
            for part in ("weight", "bias")
        )
    )
    if folded:
        rest = {key: value for key, value in rest.items() if not key.startswith("quant_conv.")}
        rest[f"{_LAST_LAYER}.weight"], rest[f"{_LAST_LAYER}.bias"] = folded
    renamed = {vae_key(key): value for key, value in rest.items()}
    for key, value in renamed.items():
        if ".mid.attn_1." in key and value.ndim == 2:
            renamed[key] = value[:, :, None, None]
    return renamed


def rename_image_encoder(state_dict: StateDict) -> StateDict:
    """transformers' CLIPVisionModelWithProjection without its `position_ids` buffer.

    All other keys are the host's already.
    """
    return {k: v for k, v in state_dict.items() if not k.endswith("position_ids")}


def _slot(layer: str) -> int:
    """Number of a layer in a block of the host: the resnet is first, then the attention."""
    return 0 if layer == "resnets" else 1


def _apply(key: str, rules: tuple) -> str:
    for pattern, replacement in rules:
        key = re.sub(pattern, replacement, key)
    return key


def _unet_key(key: str) -> str:
    layers = _RESNET_LAYERS if ".resnets." in key else _ATTENTION_LAYERS
    return _apply(_apply(key, _UNET_BLOCKS), layers if "_block" in key else ())


def vae_key(key: str) -> str:
    """Name of a tensor of a VAE: diffusers' -> that of CompVis, which the host has too."""
    temporal = ".temporal_res_block." in key
    return _apply(_apply(key, _VAE_LAYERS), _VAE_TEMPORAL_LAYERS if temporal else _VAE_PLAIN_LAYERS)


def _fold_linear(
    weight: Tensor | None, bias: Tensor | None, conv: Tensor | None, offset: Tensor | None
) -> tuple[Tensor, Tensor] | None:
    """Fold a linear layer into the convolution before it: W' = Q W, b' = Q b + q.

    None if the tensors are not those of two such layers; the caller reports what is wrong.
    """
    layers = (weight, bias, conv, offset)
    if any(layer is None or layer.dtype not in FLOATS for layer in layers):
        return None
    count = len(offset) if offset.ndim else 0
    if (weight.shape, bias.shape) != ((count, count, 1, 1), (count,)) or conv.shape[:1] != (count,):
        return None
    weight = weight[:, :, 0, 0].double()
    # In float32 for every file: products rounded to half precision would be off by 1e-3.
    folded = torch.tensordot(weight, conv.double(), dims=1)
    return folded.float(), (weight @ offset.double() + bias.double()).float()
