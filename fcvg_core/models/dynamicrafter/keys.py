"""The parts of a DynamiCrafter file, and the model and the sizes that its tensors tell.

Source: Doubiiu/DynamiCrafter scripts/evaluation/inference.py:28-53,
lvdm/models/ddpm3d.py:522-527, configs/inference_*.yaml.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from ...choices import AUTO
from ...errors import UserError
from ...weights import StateDict
from ..kinds import MOST_CHANNELS, MOST_LAYERS, check_network, describe_kind
from ..unet3d import unet3d_config
from .names import CHOOSE, guess_word, word_of_name
from .projector import ImageProjector, ProjectorConfig
from .variants import FRAMES, VARIANTS, Variant

__all__ = [
    "CheckpointParts",
    "find_variant",
    "projector_config",
    "split_checkpoint",
    "unet3d_config",
]

# Prefix of the names in a checkpoint -> the part that the tensors belong to.
PREFIXES = {
    "model.diffusion_model.": "unet",
    "image_proj_model.": "projector",
    "cond_stage_model.model.": "text",
    "embedder.model.": "vision",
    "first_stage_model.": "vae",
}
# Beginnings of a UNet's names in a file that holds a UNet without prefix. SVD's alone has the last.
UNET_NAMES = (
    "input_blocks.",
    "middle_block.",
    "output_blocks.",
    "out.",
    "time_embed.",
    "init_attn.",
    "fps_embedding.",
    "framestride_embed.",
    "label_emb.",
)
# Tensor of the UNet, its axis, and the channels on this axis: the UNet takes the latents of the
# noisy video and of the picture, and gives the latents of the video.
CHANNELS = (("input_blocks.0.0.weight", 1, 8), ("out.2.weight", 0, 4))
# In ToonCrafter's VAE; its other networks have DynamiCrafter's names.
TOONCRAFTER = "decoder.attn_refinement."
OFFICIAL = (
    "model.ckpt of Doubiiu/DynamiCrafter, DynamiCrafter_512, DynamiCrafter_1024 or "
    "DynamiCrafter_512_Interp"
)
BASE_SCALES = sorted({x.base_scale for x in VARIANTS.values() if x.base_scale}, reverse=True)
SCALES = "scale_arr"  # factors of clean latents, by timestep; the 256 file has none
# deepspeed writes "_forward_module." before every name. The official code cuts 16 characters.
DEEPSPEED_PREFIX = 16
STRIDE_EMBEDDING, RATE_EMBEDDING = "framestride_embed.", "fps_embedding."
LEARNED_FACTOR = ".attn2.alpha"
HEAD_CHANNELS = 64  # of the projector; no shape in a file tells it
SCALE_TOLERANCE = 0.01  # a pruned file may hold the factor in bfloat16


@dataclass(frozen=True, eq=False)
class CheckpointParts:
    """The tensors of a file by part, under the names of the part's own network.

    Attributes:
        unet: for `UNet3D`.
        projector: for `ImageProjector`; empty if the file has none, as are the parts below.
        text: OpenCLIP's text encoder.
        vision: OpenCLIP's image encoder, names beginning with "visual.", and what OpenCLIP keeps
            beside it.
        vae: Stable Diffusion's VAE.
        base_scale: last factor of clean latents; None: the file does not tell.
        is_256: whether the UNet is that of the 256 model.
    """

    unet: StateDict
    projector: StateDict = field(default_factory=dict)
    text: StateDict = field(default_factory=dict)
    vision: StateDict = field(default_factory=dict)
    vae: StateDict = field(default_factory=dict)
    base_scale: float | None = None
    is_256: bool = False


def split_checkpoint(state_dict: Mapping[str, Any], *, name: str) -> CheckpointParts:
    """The parts of an official or pruned checkpoint, or of a file with a UNet alone.

    Nothing is copied: the parts hold the tensors of `state_dict`. Tables of the noise schedule
    are left out.

    Args:
        state_dict: tensors by name, or whatever else has `shape` and `dtype`. `scale_arr` alone
            must be a tensor with values, or the file does not tell its model.
        name: name of the file, for the message.

    Raises:
        UserError: the file is not DynamiCrafter's.
    """
    state_dict = _without_deepspeed(state_dict)
    parts: dict[str, dict] = {part: {} for part in PREFIXES.values()}
    for key, value in state_dict.items():
        if found := _place(key):
            part, own_name = found
            parts[part][own_name] = value
    unet = parts["unet"]
    is_256 = any(key.startswith(STRIDE_EMBEDDING) for key in unet)
    is_256 = is_256 or any(key.endswith(LEARNED_FACTOR) for key in unet)
    parts["unet"] = {_rate_name(key): value for key, value in unet.items()}
    _check_unet(parts["unet"], state_dict, name=name)
    if any(key.startswith(TOONCRAFTER) for key in parts["vae"]):
        raise UserError(
            f"{name} is a checkpoint of ToonCrafter, whose VAE decodes in another way: use "
            f"{OFFICIAL}."
        )
    return CheckpointParts(**parts, base_scale=_base_scale(state_dict), is_256=is_256)


def projector_config(projector: Mapping[str, Any], *, name: str) -> ProjectorConfig:
    """Sizes of an image projector whose file holds exactly the tensors that they need.

    Args:
        projector: tensors by name without prefix, or whatever else has `shape` and `dtype`.
        name: name of the file, for the message.

    Raises:
        UserError: the file holds something else, lacks a tensor or has a tensor too many.
    """
    if not projector:
        raise UserError(f"{name} holds no image projector of DynamiCrafter: use {OFFICIAL}.")
    shapes = {key: tuple(value.shape) for key, value in projector.items()}
    wanted = {
        "num_tokens": ("latents", 3, 1),
        "in_channels": ("proj_in.weight", 2, 1),
        "channels": ("proj_in.weight", 2, 0),
        "out_channels": ("proj_out.weight", 2, 0),
        "feed_forward_channels": ("layers.0.1.1.weight", 2, 0),
        "heads": ("layers.0.0.to_q.weight", 2, 0),
    }
    sizes = {
        field: shapes[key][axis] if len(shapes.get(key, ())) == ndim else 0
        for field, (key, ndim, axis) in wanted.items()
    }
    sizes["heads"] //= HEAD_CHANNELS
    if not all(0 < size <= MOST_CHANNELS for size in sizes.values()) or (
        sizes["num_tokens"] % FRAMES
    ):
        raise UserError(
            f"{name} has no image projector of DynamiCrafter: it is {describe_kind(projector)}. "
            "Use the original file."
        )
    depth = sum(f"layers.{layer}.0.to_q.weight" in shapes for layer in range(MOST_LAYERS))
    config = ProjectorConfig(**sizes, head_channels=HEAD_CHANNELS, depth=depth)
    check_network(projector, ImageProjector(config, device="meta"), name=name)
    return config


def find_variant(
    parts: CheckpointParts,
    *,
    name: str,
    chosen: str = AUTO,
    interpolates: bool = False,
    choose: str = CHOOSE,
) -> Variant:
    """The published model that a file is.

    The 256 model has tensors of its own. 512 and 1024 differ in `base_scale`, which pruned files
    may lack; then the name of the file or of its folder tells. No tensor tells 512 from 512_interp:
    the name does, and a file without a word in its name counts as what is needed; this is logged.

    Args:
        name: path of the file, or as much of its end as is known.
        chosen: a key of VARIANTS, or "auto".
        interpolates: whether a model is needed that was trained with a first and a last picture.
        choose: how the user chooses a model, for messages; see CHOOSE.

    Raises:
        UserError: the choice contradicts the file, or nothing tells the model.
    """
    possible = [word for word, variant in VARIANTS.items() if _may_be(parts, variant)]
    if not possible:
        raise UserError(
            f"{name} is no published DynamiCrafter model: its {SCALES} ends with "
            f"{parts.base_scale:.3g}, but those of the models end with "
            f"{' or '.join(map(str, BASE_SCALES))}. Use the original file."
        )
    words = " or ".join(possible)
    if chosen != AUTO:
        if chosen not in possible:
            raise UserError(
                f"{name} is not {VARIANTS[chosen].name}: its tensors are those of {words}. Remedy: "
                f"{choose.format(f'{words} or {AUTO}')}."
            )
        return VARIANTS[chosen]
    told = word_of_name(name, possible)
    if told is None and len({VARIANTS[word].base_scale for word in possible}) != 1:
        raise UserError(
            f"{name} does not tell which DynamiCrafter model it is: {choose.format(words)}."
        )
    return VARIANTS[
        told or guess_word(possible, name=name, interpolates=interpolates, choose=choose)
    ]


def _may_be(parts: CheckpointParts, variant: Variant) -> bool:
    """Whether a file's tensors allow a model."""
    if parts.is_256 or variant.word == "256":
        return parts.is_256 and variant.word == "256"
    scale = parts.base_scale
    return scale is None or math.isclose(scale, variant.base_scale, abs_tol=SCALE_TOLERANCE)


def _without_deepspeed(state_dict: Mapping[str, Any]) -> Mapping[str, Any]:
    """The names without deepspeed's prefix, if every part of a checkpoint has the prefix."""
    if any(_place(key) for key in state_dict):
        return state_dict
    cut = {key[DEEPSPEED_PREFIX:]: value for key, value in state_dict.items()}
    return cut if any(_place(key) for key in cut) else state_dict


def _place(key: str) -> tuple[str, str] | None:
    """The part of a checkpoint that a tensor belongs to, and the tensor's name there."""
    for prefix, part in PREFIXES.items():
        if key.startswith(prefix):
            return part, key.removeprefix(prefix)
    return ("unet", key) if key.startswith(UNET_NAMES) else None


def _rate_name(key: str) -> str:
    """The network's name for a tensor of the UNet: the 256 file calls the rate otherwise."""
    if key.startswith(STRIDE_EMBEDDING):
        return RATE_EMBEDDING + key.removeprefix(STRIDE_EMBEDDING)
    return key


def _base_scale(state_dict: Mapping[str, Any]) -> float | None:
    """The last factor of clean latents, if the file holds it with its value."""
    scales = state_dict.get(SCALES)
    if not isinstance(scales, Tensor) or scales.is_meta or not scales.numel():
        return None
    return float(scales.flatten()[-1])


def _check_unet(unet: Mapping[str, Any], state_dict: Mapping[str, Any], *, name: str) -> None:
    """Raise UserError unless a UNet has DynamiCrafter's marks and channels."""
    kind = describe_kind(unet or state_dict)
    if kind != "a DynamiCrafter UNet":
        raise UserError(
            f"{name} is {kind}, but a checkpoint or a UNet of DynamiCrafter is needed: use "
            f"{OFFICIAL}."
        )
    for key, axis, channels in CHANNELS:
        found = tuple(unet[key].shape)[axis : axis + 1] if key in unet else (channels,)
        if found != (channels,):
            raise UserError(
                f"{name} is no UNet of DynamiCrafter's: {key} has the shape "
                f"{tuple(unet[key].shape)}, but {channels} channels are expected. Use {OFFICIAL}."
            )
