"""Files with quantised weights: loads the formats that the host knows, refuses all others."""

import comfy.supported_models_base
import comfy.utils
import torch

from ...fcvg_core.json_text import parse_json
from ...fcvg_core.weights import StateDict

# Tensors beside a quantised weight, in the current and older formats of ComfyUI.
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
# Formats with two values in a byte, so that the shapes of tensors are not the sizes of layers.
_TWO_A_BYTE = {"nvfp4", "convrot_w4a4", "asym_w4a8_int8"}
OLD_MARK = "scaled_fp8"  # key by which older hosts recognise files with scale_weight


def quantisation(state_dict: StateDict, notes: dict[str, str]) -> str | None:
    """Kind of quantisation of a file's weights, in words; None if they are plain numbers.

    Args:
        state_dict: tensors by name.
        notes: metadata in the file's header.
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
        raise ValueError(_words(name, kind, "this loader can only read plain weights"))


def host_quantised(state_dict: StateDict, notes: dict[str, str], *, name: str) -> StateDict:
    """The tensors of a quantised UNet file in the form that the host's layers read.

    Args:
        state_dict: tensors by the file's own names, without a checkpoint's prefix.
        notes: metadata in the file's header.
        name: name of the file, for messages.

    Returns:
        For hosts with layers of mixed precision, each quantised layer has a `comfy_quant`. For
        older hosts each quantised layer has a `scale_weight`, and OLD_MARK is added.

    Raises:
        ValueError: the host can't load these weights.
    """
    kind = quantisation(state_dict, notes)
    old = any(key.endswith(".scale_weight") for key in state_dict)
    if not old and not (formats := _formats(state_dict, notes)):
        raise ValueError(_words(name, kind, "this loader can only read ComfyUI's formats"))
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
        raise ValueError(_words(name, kind, "this ComfyUI is too old for this format: update it"))
    if not old and formats & _TWO_A_BYTE:
        raise ValueError(_words(name, kind, "the network's sizes can't be read from this format"))
    if not old and formats - _known_formats():
        raise ValueError(_words(name, kind, "this ComfyUI has no layers for this format"))
    return comfy.utils.convert_old_quants(state_dict, "", metadata=notes)[0]


def set_quantised_layers(
    config: comfy.supported_models_base.BASE, state_dict: StateDict, dtype: torch.dtype
) -> torch.dtype | None:
    """Configure the host's model for quantised layers.

    Args:
        config: configuration of the model; it is changed in place.
        state_dict: from `host_quantised`; OLD_MARK is removed from it.
        dtype: number format of the layers that are not quantised.

    Returns:
        The number format for `unet_manual_cast`.
    """
    mark = state_dict.pop(OLD_MARK, None)
    if mark is None:
        config.quant_config = comfy.utils.detect_layer_quantization(state_dict, "")
        return None
    config.scaled_fp8 = torch.float8_e4m3fn if mark.dtype == torch.float32 else mark.dtype
    return dtype


def packed_weights(state_dict: StateDict) -> frozenset[str]:
    """Names of the quantised weights in a state dict from `host_quantised`."""
    marks = (".comfy_quant", ".scale_weight")
    return frozenset(
        f"{key.rpartition('.')[0]}.weight" for key in state_dict if key.endswith(marks)
    )


def is_extra(key: str) -> bool:
    """Whether a tensor belongs to a quantised weight, such as its scale, and is not a weight."""
    return key.rpartition(".")[2] in HOST_EXTRAS


def _words(name: str, kind: str, why: str) -> str:
    return (
        f"{name} is {kind}, but {why}. Use the fp16 or fp32 .safetensors file of the model "
        "instead; weight_dtype fp8 saves the same amount of memory."
    )


def _formats(state_dict: StateDict, notes: dict[str, str]) -> set[str]:
    """Names of the quantisation formats of a file's layers."""
    try:
        layers = [
            parse_json(value.numpy().tobytes())
            for key, value in state_dict.items()
            if key.endswith(".comfy_quant")
        ]
        metadata = parse_json(notes.get("_quantization_metadata", '{"layers": {}}'))
        layers += metadata["layers"].values()
        return {str(layer.get("format")) for layer in layers}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {"in an unknown format"}


def _known_formats() -> set[str]:
    from comfy.quant_ops import QUANT_ALGOS  # only in newer hosts

    return set(QUANT_ALGOS)
