"""Both encoders of CLIP, from any file: transformers' networks."""

from typing import Any

import torch
from torch import nn

from ...errors import UserError
from ...models.clip_towers import (
    TEXT_MARK,
    VISION_MARK,
    Tower,
    find_tower,
    text_sizes,
    vision_sizes,
)
from ...weights import Piece
from .parts import CheckedPart, PartFile, check_part, without_memory


def check_text_encoder(part: PartFile, dtype: torch.dtype, *, whole: bool = False) -> CheckedPart:
    """CLIP's text encoder up to the last layer but one, and its last norm: transformers' network.

    Args:
        whole: with the last layer.

    Raises:
        UserError: the file holds no such encoder.
    """
    from transformers import CLIPTextConfig, CLIPTextModel

    tower = _tower(part, TEXT_MARK, "CLIP text encoder", "Stable Diffusion 2.1's text encoder")
    sizes = text_sizes(part.tensors, tower, name=part.name)
    if whole:
        sizes["num_hidden_layers"] = tower.count_layers(part.tensors)
    config = CLIPTextConfig(**sizes)
    return _check_tower(CLIPTextModel, config, tower, part, dtype, "the text encoder")


def check_image_encoder(part: PartFile, dtype: torch.dtype) -> CheckedPart:
    """CLIP's image encoder: transformers' network, whose last hidden state is used.

    Raises:
        UserError: the file holds no such encoder.
    """
    from transformers import CLIPVisionConfig, CLIPVisionModel

    tower = _tower(part, VISION_MARK, "CLIP image encoder", "CLIP-ViT-H-14-laion2B-s32B-b79K")
    config = CLIPVisionConfig(**vision_sizes(part.tensors, tower, name=part.name))
    return _check_tower(CLIPVisionModel, config, tower, part, dtype, "the image encoder")


def _tower(part: PartFile, mark: str, kind: str, expected: str) -> Tower:
    """The tower of a file."""
    tower = find_tower(part.tensors, mark)
    if tower is None:
        raise UserError(f"{part.name} holds no {kind}; expected {expected}.")
    return tower


def _check_tower(
    kind: type[nn.Module],
    config: Any,
    tower: Tower,
    part: PartFile,
    dtype: torch.dtype,
    what: str,
) -> CheckedPart:
    """A tower of transformers; before release 5 its names have a prefix."""
    with without_memory():
        network = kind(config)
    inner = ("text_model.", "vision_model.")

    def locate(name: str) -> Piece:
        for prefix in inner:
            name = name.removeprefix(prefix)
        return tower.piece(name)

    return check_part(network, part, dtype, what=f"{what} of CLIP ViT-H", locate=locate)
