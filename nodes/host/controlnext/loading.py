"""A ControlNeXt file -> a network that the host loads and frees beside the UNet."""

import os

import comfy.model_management as mm
import comfy.ops
import comfy.utils
import torch
from comfy.model_patcher import ModelPatcher

from ....fcvg_core.models.controlnext import Config, ControlNeXt, controlnext_config
from ....fcvg_core.models.kinds import check_keys
from ..files import load_weights
from ..patchers import can_load_again, fill, make_patcher, meant_tensors, shapes
from ..quantised import refuse_quantised


class HostControlNeXt(ControlNeXt):
    """ControlNeXt made of the host's layers.

    Args:
        operations: the host's layers.
        dtype: number format of the weights.
        compute_dtype: number format of the activations; the layers convert their weights to it.
    """

    def __init__(
        self, config: Config, *, operations, dtype: torch.dtype, compute_dtype: torch.dtype
    ):
        super().__init__(config, operations=operations, dtype=dtype)
        self.compute_dtype = compute_dtype


def load_controlnext(path: str, disable_dynamic: bool = False) -> ModelPatcher:
    """A ControlNeXt file (v2 or v1) as a model that the host loads and frees like the UNet.

    Args:
        disable_dynamic: see `can_load_again`.
    """
    name = os.path.basename(path)
    state_dict, notes = load_weights(path)
    refuse_quantised(state_dict, notes, name=name)
    config = controlnext_config(state_dict, name=name)
    device = mm.get_torch_device()
    dtype = mm.unet_dtype(weight_dtype=comfy.utils.weight_dtype(state_dict))
    cast = mm.unet_manual_cast(dtype, device)
    operations = comfy.ops.pick_operations(dtype, cast, load_device=device)
    network = HostControlNeXt(
        config, operations=operations, dtype=dtype, compute_dtype=cast or dtype
    ).eval()
    meant = meant_tensors(network)
    check_keys(state_dict, shapes(meant), name=name)
    offload = mm.unet_offload_device()
    patcher = make_patcher(network, device, offload, disable_dynamic=disable_dynamic)
    fill(patcher, network.requires_grad_(False), state_dict, meant)
    return can_load_again(patcher, load_controlnext, path)
