"""Files whose weights were quantised: what the host can load, and words for the rest."""

import comfy.supported_models_base
import comfy.utils
import torch

from ...fcvg_core.json_text import parse_json
from ...fcvg_core.weights import StateDict

# What lies beside a quantised weight in the formats that ComfyUI knows, today's and older ones.
HOST_EXTRAS = (
    "comfy_quant",
    "weight_scale",
    "weight_scale_2",
    "input_scale",
    "pre_quant_scale",
    "scale_weight",
    "scale_input",
)
_OTHER_TOOLS = (
    ("bitsandbytes", ("absmax", "quant_map", "SCB", "weight_format")),
    ("GPTQ or AWQ", ("qzeros", "g_idx")),
    ("SVDQuant", ("wscales", "smooth_factor")),
    ("quanto", ("_data", "_scale")),
)
_WHOLE_NUMBERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
_TWO_A_BYTE = {"nvfp4", "convrot_w4a4", "asym_w4a8_int8"}  # shapes do not tell a layer's sizes
OLD_MARK = "scaled_fp8"  # the key by which ComfyUI knew files with scale_weight


def quantisation(state_dict: StateDict, notes: dict[str, str]) -> str | None:
    """How a file's weights were quantised, in words; None where they are plain numbers.

    Args:
        notes: of the file's header.
    """
    ends = {key.rpartition(".")[2] for key in state_dict}
    for tool, marks in _OTHER_TOOLS:
        if ends & set(marks) or any(f"quant_state.{tool}" in key for key in state_dict):
            return f"quantised by {tool}"
    if "comfy_quant" in ends or "_quantization_metadata" in notes:
        formats = ", ".join(sorted(_formats(state_dict, notes)))
        return f"quantised for ComfyUI ({formats})"
    if OLD_MARK in ends or "scale_weight" in ends:
        return "scaled fp8 (scale_weight)"
    if ends & set(HOST_EXTRAS):
        return "quantised with a scale for each layer (weight_scale)"
    for key, value in state_dict.items():
        if key.endswith("weight") and value.ndim > 1 and value.dtype in _WHOLE_NUMBERS:
            return f"quantised ({key} holds whole numbers)"
    return None


def refuse_quantised(state_dict: StateDict, notes: dict[str, str], *, name: str) -> None:
    """Raise ValueError if a file's weights are quantised."""
    kind = quantisation(state_dict, notes)
    if kind is not None:
        raise ValueError(_words(name, kind, "this loader takes plain weights only"))


def host_quantised(state_dict: StateDict, notes: dict[str, str], *, name: str) -> StateDict:
    """A quantised UNet file in the form that the host's layers read.

    Args:
        state_dict: under the file's own names, without a checkpoint's prefix.

    Returns:
        Where the host has layers of mixed precision, each quantised layer has a `comfy_quant`;
        in older hosts the layers have a `scale_weight`, and OLD_MARK is there.

    Raises:
        ValueError: the host can't load such weights.
    """
    kind = quantisation(state_dict, notes)
    old = any(key.endswith(".scale_weight") for key in state_dict)
    if not old and not (formats := _formats(state_dict, notes)):
        raise ValueError(_words(name, kind, "this loader takes ComfyUI's formats only"))
    state_dict = dict(state_dict)
    if old and OLD_MARK not in state_dict:
        format_of = next(
            state_dict[key.removesuffix("scale_weight") + "weight"].dtype
            for key in state_dict
            if key.endswith(".scale_weight")
        )
        state_dict[OLD_MARK] = torch.zeros((), dtype=format_of)
    if not hasattr(comfy.utils, "convert_old_quants"):
        if old:
            return state_dict
        raise ValueError(_words(name, kind, "this ComfyUI is too old for it: update it"))
    if not old and formats & _TWO_A_BYTE:
        raise ValueError(_words(name, kind, "this loader can't tell the network's sizes from it"))
    if not old and formats - _known_formats():
        raise ValueError(_words(name, kind, "this ComfyUI has no layers for it"))
    return comfy.utils.convert_old_quants(state_dict, "", metadata=notes)[0]


def set_quantised_layers(
    config: comfy.supported_models_base.BASE, state_dict: StateDict, dtype: torch.dtype
) -> torch.dtype | None:
    """Tell the host's model which layers to build; the format to give `unet_manual_cast`.

    Args:
        config: of the model, changed in place.
        state_dict: from `host_quantised`; the mark of older hosts is taken out of it.
        dtype: of the layers that are not quantised.
    """
    mark = state_dict.pop(OLD_MARK, None)
    if mark is None:
        config.quant_config = comfy.utils.detect_layer_quantization(state_dict, "")
        return None
    config.scaled_fp8 = torch.float8_e4m3fn if mark.dtype == torch.float32 else mark.dtype
    return dtype


def packed_weights(state_dict: StateDict) -> frozenset[str]:
    """Names of the quantised weights among tensors from `host_quantised`."""
    marks = (".comfy_quant", ".scale_weight")
    return frozenset(
        f"{key.rpartition('.')[0]}.weight" for key in state_dict if key.endswith(marks)
    )


def is_extra(key: str) -> bool:
    """Whether a tensor lies beside a quantised weight and is none itself."""
    return key.rpartition(".")[2] in HOST_EXTRAS


def _words(name: str, kind: str, why: str) -> str:
    return (
        f"{name} is {kind}, and {why}. Take the fp16 or fp32 .safetensors file of the model "
        "instead; weight_dtype fp8 saves as much memory."
    )


def _formats(state_dict: StateDict, notes: dict[str, str]) -> set[str]:
    """Names of the formats of a file's layers."""
    try:
        layers = [
            parse_json(value.numpy().tobytes())
            for key, value in state_dict.items()
            if key.endswith(".comfy_quant")
        ]
        told = parse_json(notes.get("_quantization_metadata", '{"layers": {}}'))
        layers += told["layers"].values()
        return {str(layer.get("format")) for layer in layers}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {"in a format that can't be told"}


def _known_formats() -> set[str]:
    from comfy.quant_ops import QUANT_ALGOS  # younger hosts only

    return set(QUANT_ALGOS)
