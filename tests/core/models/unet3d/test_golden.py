"""The outputs of the official UNets of DynamiCrafter and SMCD."""

import json

import pytest
import torch
from dynamicrafter_cases import as_frames, split_context, unet
from unet3d_cases import (
    check_close,
    each_network_case,
    shapes,
    smcd_config,
    with_official_weights,
)

from fcvg_core.models.unet3d import UNet3D

SHARED_TOKENS = 16  # image tokens that all frames of "out_shared_context" see


def repeat(values: torch.Tensor, num_frames: int) -> torch.Tensor:
    """[V, ...] -> [V * T, ...]."""
    return values.repeat_interleave(num_frames, 0)


@each_network_case("dynamicrafter", "UNetModel")
@torch.inference_mode()
def test_dynamicrafter(config, tensors):
    network = unet(config["kwargs"], config)
    context, count = tensors["in_context"], tensors["in_x"].shape[2]
    text, image = split_context(context, count)
    own = image if len(image) > len(context) else repeat(image, count)
    shared = repeat(context[:, 77 : 77 + SHARED_TOKENS], count)
    rate = repeat(tensors["in_fs"], count)
    calls = {
        "out": {"image_tokens": own, "rate": rate},
        "out_shared_context": {"image_tokens": shared, "rate": rate},
        "out_default_fs": {"image_tokens": own},
    }
    assert calls.keys() & tensors.keys()
    for name, inputs in calls.items():
        if name in tensors:
            found = network(
                as_frames(torch.cat([tensors["in_x"], tensors["in_c_concat"]], dim=1)),
                repeat(tensors["in_timesteps"], count),
                repeat(text, count),
                num_frames=count,
                **inputs,
            )
            check_close(found, as_frames(tensors[name]), config)


@each_network_case("smcd", "UNetSD")
@torch.inference_mode()
def test_smcd(config, tensors):
    network = with_official_weights(UNet3D(smcd_config(config["kwargs"])), config)
    latents = tensors["in_x"][:, : network.config.in_channels]
    count = latents.shape[2]
    calls = {"out": tensors["in_grounding_context"], "out_no_grounding": None}
    for name in calls.keys() & tensors.keys():
        found = network(
            as_frames(latents),
            repeat(tensors["in_timesteps"], count),
            repeat(tensors["in_y"], count),
            num_frames=count,
            image_tokens=tensors["in_visual_feat"],
            objects=calls[name],
        )
        check_close(found, as_frames(tensors[name]), config)


@pytest.mark.parametrize("name", ["unet", "unet_stage1"])
def test_official_names_of_tiny_smcd(own_golden, name):
    config = json.loads((own_golden / f"smcd/{name}.json").read_text())["config"]
    names = json.loads((own_golden / "smcd/keys.json").read_text())[name]
    network = UNet3D(smcd_config(config["kwargs"]), device="meta")
    assert shapes(network) == {key: tuple(shape) for key, shape in names.items()}


@pytest.mark.parametrize("name", ["unet_512", "unet_256"])
def test_official_names_of_tiny_dynamicrafter(own_golden, name):
    config = json.loads((own_golden / f"dynamicrafter/{name}.json").read_text())["config"]
    names = json.loads((own_golden / "dynamicrafter/keys.json").read_text())[name]
    assert shapes(unet(config["kwargs"], config)) == {k: tuple(v) for k, v in names.items()}
