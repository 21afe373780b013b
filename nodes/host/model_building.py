"""Tensors of a UNet or transformer -> the host's MODEL, in the number format that suits."""

import logging

import comfy.model_management as mm
import comfy.supported_models_base
import comfy.utils
from comfy.model_patcher import ModelPatcher

from ...fcvg_core.models.kinds import check_keys
from ...fcvg_core.weights import StateDict
from .files import building
from .patchers import WEIGHT_DTYPES, fill, make_patcher, meant_tensors, shapes
from .quantised import is_extra, packed_weights, set_quantised_layers


def build_model(
    config: comfy.supported_models_base.BASE,
    state_dict: StateDict,
    *,
    name: str,
    weight_dtype: str,
    quantised: bool = False,
    disable_dynamic: bool = False,
) -> ModelPatcher:
    """The model with its weights, in the number format that suits the device.

    Args:
        config: builds the network, and is changed in place.
        state_dict: tensors by the names that the network uses.
        name: name of the file, for messages.
        weight_dtype: a key of WEIGHT_DTYPES.
        quantised: whether the tensors come from `host_quantised`.
        disable_dynamic: see `can_load_again`.

    Raises:
        UserError: the tensors do not fit the network.
    """
    dtype = WEIGHT_DTYPES[weight_dtype]
    device, offload = mm.get_torch_device(), mm.unet_offload_device()
    if quantised and dtype is not None:
        logging.warning(
            "%s is quantised: its weights keep their formats, and %s is ignored.",
            name,
            weight_dtype,
        )
    if quantised or dtype is None:
        dtype = mm.unet_dtype(
            model_params=comfy.utils.calculate_parameters(state_dict),
            supported_dtypes=config.supported_inference_dtypes,
            weight_dtype=None if quantised else comfy.utils.weight_dtype(state_dict),
        )
    cast_from = set_quantised_layers(config, state_dict, dtype) if quantised else dtype
    cast = mm.unet_manual_cast(cast_from, device, config.supported_inference_dtypes)
    config.set_inference_dtype(dtype, cast)
    with building(name):
        model = config.get_model(state_dict, "", device=offload)
    patcher = make_patcher(model, device, offload, disable_dynamic=disable_dynamic)
    fill_network(patcher, state_dict, name)
    return patcher


def fill_network(patcher: ModelPatcher, state_dict: StateDict, name: str) -> None:
    """Check the tensors of a model's network, and load them into it."""
    network = patcher.model.diffusion_model.eval().requires_grad_(False)
    meant = meant_tensors(network)
    packed = packed_weights(state_dict)
    plain = {key: value for key, value in meant.items() if not is_extra(key)}
    # The shape of a packed weight depends on its format, which the host's layer knows.
    found = {
        key: plain.get(key, value) if key in packed else value
        for key, value in state_dict.items()
        if not (packed and is_extra(key))
    }
    check_keys(found, shapes(plain), name=name)
    fill(patcher, network, state_dict, plain, unconverted=packed)
