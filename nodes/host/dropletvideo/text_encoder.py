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
from ....fcvg_core.models.dropletvideo.t5 import EMBEDDING, MARK, SECOND_EMBEDDING, t5_sizes
from ....fcvg_core.models.kinds import check_keys, describe_kind
from ..encoders import build_clip
from ..files import building, load_sharded
from ..patchers import can_load_again, meant_tensors, shapes
from ..quantised import refuse_quantised

T5 = "t5xxl"  # the host's name of the encoder


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
    if MARK not in tensors:
        raise UserError(
            f"{name} is {describe_kind(tensors)}, but the encoder of T5 v1.1 XXL is needed: use "
            "the folder text_encoder of DropletVideo."
        )
    sizes = t5_sizes(shapes(tensors), name=name)
    embedding = tensors.pop(SECOND_EMBEDDING, None)
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
