"""T5 v1.1 XXL of the official folder as the host's CLIP.

The host's own types of this encoder pad to other lengths, and most of them hide the padding from
the encoder. DropletVideo was trained with 400 tokens, all of which count.
"""

from functools import partial

import comfy.sd
import comfy.text_encoders.sd3_clip as sd3
from comfy import sd1_clip
from comfy.model_patcher import ModelPatcher
from comfy.supported_models_base import ClipTarget

from ....fcvg_core.errors import UserError
from ....fcvg_core.models.dropletvideo.rules import TEXT_TOKENS
from ....fcvg_core.models.kinds import MOST_CHANNELS, MOST_LAYERS, check_keys, describe_kind
from ....fcvg_core.weights import StateDict
from ..encoders import build_clip
from ..files import building, load_sharded
from ..patchers import can_load_again, meant_tensors, shapes
from ..quantised import refuse_quantised

T5 = "t5xxl"  # the host's name of the encoder
BLOCK = "encoder.block.{}.layer."
EMBEDDING, SECOND_NAME = "shared.weight", "encoder.embed_tokens.weight"
ATTENTION, BIAS = "0.SelfAttention.q.weight", "0.SelfAttention.relative_attention_bias.weight"
INNER = "1.DenseReluDense.wi_0.weight"


class DropletVideoText(sd1_clip.SD1ClipModel):
    """T5 without masks, which pads see and are seen by."""

    def __init__(self, device="cpu", dtype=None, model_options: dict = {}):
        more = {"name": T5, "clip_model": sd3.T5XXLModel, "model_options": model_options}
        super().__init__(device=device, dtype=dtype, **more)


class DropletVideoTokenizer(sd1_clip.SD1Tokenizer):
    """T5's tokenizer, which pads a prompt to 400 tokens."""

    def __init__(self, embedding_directory=None, tokenizer_data: dict = {}):
        super().__init__(
            embedding_directory=embedding_directory,
            tokenizer_data=tokenizer_data,
            clip_name=T5,
            tokenizer=partial(sd3.T5XXLTokenizer, min_length=TEXT_TOKENS),
        )


def load_text_encoder(path: str, disable_dynamic: bool = False) -> comfy.sd.CLIP:
    """The text encoder of a folder or file.

    Args:
        path: a file, or a folder with a file, or with several and their index.
        disable_dynamic: see `can_load_again`.

    Raises:
        UserError: the files can't be read, or hold another network.
    """
    tensors, notes, name = load_sharded(path)
    refuse_quantised(tensors, notes, name=name)
    sizes = _sizes(tensors, name)
    embedding = tensors.pop(SECOND_NAME, None)  # files may hold it under one name or both
    tensors.setdefault(EMBEDDING, embedding)
    state_dict = {f"{T5}.transformer.{key}": value for key, value in tensors.items()}
    more = {"disable_dynamic": True} if disable_dynamic else {}
    options = {f"{T5}_model_config": sizes, "dtype": tensors[EMBEDDING].dtype}
    with building(name):
        clip = build_clip(
            ClipTarget(DropletVideoTokenizer, DropletVideoText), state_dict, options, more
        )
    expected = shapes(meant_tensors(clip.cond_stage_model))
    expected.pop(f"{T5}.logit_scale", None)  # the host's own number, which no file holds
    check_keys(state_dict, expected, name=name)
    can_load_again(clip.patcher, _load_patcher, path)
    return clip


def _load_patcher(path: str, disable_dynamic: bool = False) -> ModelPatcher:
    """Load the text encoder again, and return its patcher."""
    return load_text_encoder(path, disable_dynamic).patcher


def _sizes(tensors: StateDict, name: str) -> dict[str, int]:
    """Sizes of the encoder, under the names of its config.json."""
    found = {key: tuple(value.shape) for key, value in tensors.items()}
    first = BLOCK.format(0)
    words = found.get(EMBEDDING, found.get(SECOND_NAME, ()))
    layers = 0
    while layers <= MOST_LAYERS and f"{BLOCK.format(layers)}{ATTENTION}" in found:
        layers += 1
    try:
        (vocabulary, width), (inner, _) = words, found[f"{first}{ATTENTION}"]
        (_, heads), (hidden, _) = found[f"{first}{BIAS}"], found[f"{first}{INNER}"]
    except (KeyError, ValueError):
        raise _no_encoder(tensors, name) from None
    if not heads or layers > MOST_LAYERS or max(width, inner) > MOST_CHANNELS:
        raise _no_encoder(tensors, name)
    return {
        "vocab_size": vocabulary,
        "d_model": width,
        "d_kv": inner // heads,
        "num_heads": heads,
        "d_ff": hidden,
        "num_layers": layers,
    }


def _no_encoder(tensors: StateDict, name: str) -> UserError:
    return UserError(
        f"{name} is {describe_kind(tensors)}, but the encoder of T5 v1.1 XXL is needed: use the "
        "folder text_encoder of DropletVideo."
    )
