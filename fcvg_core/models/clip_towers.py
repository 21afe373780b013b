"""CLIP's text encoder and image encoder in files: where each tensor lies, and the sizes.

The networks have the names of transformers' CLIPTextModel and CLIPVisionModel. A file may have
these names, or those of OpenCLIP, which the official checkpoints have.

Source: mlfoundations/open_clip src/open_clip/transformer.py; Doubiiu/DynamiCrafter
lvdm/modules/encoders/condition.py:174-371.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from ..clip import CLIP_SIZE
from ..errors import UserError
from ..quoting import unquoted
from ..weights import Piece, find_prefix
from .kinds import MOST_CHANNELS, MOST_LAYERS

TEXT_HEAD_CHANNELS, VISION_HEAD_CHANNELS = 64, 80
START, END = 49406, 49407  # tokens around a prompt; END is the last token of CLIP's vocabulary
TEXT_LENGTH = 77  # tokens of every prompt, START and END included
TEXT_LAYERS = 24  # of ViT-H; the prompt is taken before the last layer
MOST_TOKENS = 2**17  # of a vocabulary or of a prompt; CLIP's vocabulary has 49408
# A tensor that tells a tower from other networks: it has the same end in both kinds of names.
TEXT_MARK, VISION_MARK = "token_embedding.weight", "class_embedding"
WHOLE_TEXT = "text_projection"  # comes after the last layer; a cut text encoder has none
# (pattern, replacement) from transformers' names to OpenCLIP's, applied in this order.
_OPEN_CLIP = (
    (r"^encoder\.layers\.(\d+)\.", r"transformer.resblocks.\1."),
    (r"\.self_attn\.out_proj\.", ".attn.out_proj."),
    (r"\.self_attn\.[qkv]_proj\.", ".attn.in_proj_"),
    (r"\.layer_norm(\d)\.", r".ln_\1."),
    (r"\.mlp\.fc1\.", ".mlp.c_fc."),
    (r"\.mlp\.fc2\.", ".mlp.c_proj."),
    (r"^embeddings\.position_embedding\.weight$", "positional_embedding"),
    (r"^embeddings\.patch_embedding\.", "conv1."),
    (r"^embeddings\.", ""),
    (r"^final_layer_norm\.", "ln_final."),
    (r"^pre_layrnorm\.", "ln_pre."),
    (r"^post_layernorm\.", "ln_post."),
)


@dataclass(frozen=True)
class Tower:
    """A CLIP tower in a file.

    Attributes:
        prefix: what precedes the names of the tower's tensors.
        is_open_clip: whether the names are OpenCLIP's.
    """

    prefix: str
    is_open_clip: bool

    def piece(self, name: str) -> Piece:
        """Where a tensor lies, by its name in transformers' network."""
        if not self.is_open_clip:
            return Piece(self.prefix + name)
        part = re.search(r"\.self_attn\.([qkv])_proj\.", name)
        for pattern, replacement in _OPEN_CLIP:
            name = re.sub(pattern, replacement, name)
        key = self.prefix + name
        return Piece(key, "qkv".index(part[1]), 3) if part else Piece(key)

    def count_layers(self, shapes: Mapping[str, Tensor]) -> int:
        """Number of transformer layers in a file."""
        count = 0
        while self.piece(f"encoder.layers.{count}.layer_norm1.weight").key in shapes:
            count += 1
        return count


def find_tower(shapes: Mapping[str, Tensor], mark: str) -> Tower | None:
    """The tower with a mark in a file: the first one; None if the file has no such tower.

    Args:
        shapes: tensors by name; the meta device is allowed.
        mark: TEXT_MARK or VISION_MARK.
    """
    prefix = find_prefix(shapes, mark)
    if prefix is None:
        return None
    inner = prefix.removesuffix("embeddings.")
    return Tower(inner, is_open_clip=inner == prefix)


def text_sizes(shapes: Mapping[str, Tensor], tower: Tower, *, name: str) -> dict:
    """Values of transformers' CLIPTextConfig for a text encoder.

    The encoder ends before the last layer of CLIP, as in Stable Diffusion 2. Files of Stable
    Diffusion 2.1's text encoder lack the last layer already.

    Args:
        name: name of the file, for messages.

    Raises:
        UserError: the sizes can't be those of CLIP's text encoder.
    """
    layers = tower.count_layers(shapes)
    whole = tower.is_open_clip or layers == TEXT_LAYERS or _has_projection(shapes, tower)
    vocabulary, width = _shape(shapes, tower, "embeddings.token_embedding.weight", name)
    length, _ = _shape(shapes, tower, "embeddings.position_embedding.weight", name)
    if vocabulary <= END or length < TEXT_LENGTH:
        raise UserError(
            f"{name} holds a text encoder for prompts of {length} out of {vocabulary} tokens; "
            f"expected CLIP's text encoder, for {TEXT_LENGTH} out of {END + 1} tokens."
        )
    return {
        "vocab_size": vocabulary,
        "max_position_embeddings": length,
        "num_hidden_layers": layers - whole,
        **_common_sizes(shapes, tower, width, TEXT_HEAD_CHANNELS, name),
    }


def vision_sizes(shapes: Mapping[str, Tensor], tower: Tower, *, name: str) -> dict:
    """Values of transformers' CLIPVisionConfig for an image encoder.

    Args:
        name: name of the file, for messages.

    Raises:
        UserError: the sizes can't be those of CLIP's image encoder.
    """
    width, _, patch, _ = _shape(shapes, tower, "embeddings.patch_embedding.weight", name, axes=4)
    positions, _ = _shape(shapes, tower, "embeddings.position_embedding.weight", name)
    if patch > CLIP_SIZE or positions != (CLIP_SIZE // patch) ** 2 + 1:
        raise UserError(
            f"{name} holds a CLIP image encoder for pictures of another size; expected the "
            f"ViT-H encoder for {CLIP_SIZE} x {CLIP_SIZE} pixels."
        )
    return {
        "image_size": CLIP_SIZE,
        "patch_size": patch,
        "num_hidden_layers": tower.count_layers(shapes),
        **_common_sizes(shapes, tower, width, VISION_HEAD_CHANNELS, name),
    }


def _common_sizes(
    shapes: Mapping[str, Tensor], tower: Tower, width: int, head_channels: int, name: str
) -> dict:
    """Sizes that both towers have."""
    inner, _ = _shape(shapes, tower, "encoder.layers.0.mlp.fc1.weight", name)
    layers = tower.count_layers(shapes)
    fits = width % head_channels == 0 and max(width, inner) <= MOST_CHANNELS
    if not fits or not 0 < layers <= MOST_LAYERS:
        raise UserError(
            f"{name} holds a CLIP encoder of {layers} layers with {width} channels, {inner} inside "
            f"a layer; expected ViT-H's, whose channels are a multiple of {head_channels}. Use "
            "the encoder of CLIP ViT-H."
        )
    return {
        "hidden_size": width,
        "intermediate_size": inner,
        "num_attention_heads": width // head_channels,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-5,
    }


def _has_projection(shapes: Mapping[str, Tensor], tower: Tower) -> bool:
    """Whether the projection that follows the last layer is in the file."""
    outer = tower.prefix.removesuffix("text_model.")
    return f"{outer}{WHOLE_TEXT}.weight" in shapes


def _shape(
    shapes: Mapping[str, Tensor], tower: Tower, tensor: str, name: str, *, axes: int = 2
) -> tuple[int, ...]:
    """Shape of a tensor by its name in transformers' network."""
    key = tower.piece(tensor).key
    shape = tuple(shapes[key].shape) if key in shapes else ()
    if len(shape) != axes or not all(0 < size <= MOST_TOKENS for size in shape):
        found = f"has the shape {shape}" if key in shapes else "is missing"
        raise UserError(
            f"{name} holds no whole CLIP encoder: {unquoted(key)} {found}. Download it again."
        )
    return shape
