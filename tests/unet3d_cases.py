"""The UNet of DynamiCrafter and SMCD: golden cases, and tiny networks for other tests."""

import re
from dataclasses import replace

import pytest
import torch
from dynamicrafter_cases import assert_close, official_weights
from golden_cases import FOLDER, find_documents
from network_checks import shapes
from safetensors.torch import load_file
from torch import Tensor, nn

from fcvg_core.models.unet3d import Config, UNet3D

MOST_ERROR = 1e-4  # of a network in float32, whatever more its case allows
GATES = {"vanilla": "objects", "vanilla_cross_vision": "objects and image"}

# The smallest UNets with every kind of layer: a norm has 32 groups.
TINY = Config(
    model_channels=64,
    channel_mult=(1, 2),
    num_res_blocks=1,
    attention_levels=(0,),
    head_channels=16,
    context_channels=24,
    initial_heads=2,
)
TINY_LEARNED = replace(TINY, image_attention="learned")
TINY_SMCD = replace(
    TINY,
    initial_inside=True,
    conv_projections=True,
    bare_downsamplers=True,
    takes_rate=False,
    image_attention=None,
    gate="objects and image",
)


def each_network_case(room: str, class_name: str):
    """Run a test once for each golden case of an official class: its configuration, its tensors."""
    cases, names = [], []
    for name, meta, tensors in find_documents(FOLDER / room):
        config = meta["config"]
        if config.get("class", "").endswith(class_name):
            cases.append((config, with_shared_inputs(room, config, tensors)))
            names.append(name)
    return pytest.mark.parametrize(("config", "tensors"), cases, ids=names)


def with_shared_inputs(room: str, config: dict, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a case, and inputs that it has from the file of another case."""
    shared = re.search(r"of (\S+\.safetensors)", config.get("inputs", ""))
    others = load_file(FOLDER / room / shared[1]) if shared else {}
    inputs = {key: value for key, value in others.items() if key.startswith("in_")}
    return {**inputs, **tensors}


def smcd_config(arguments: dict) -> Config:
    """Our Config for the arguments of SMCD's official UNet."""
    return Config(
        in_channels=arguments["in_dim"] * (2 if arguments["cat_init"] else 1),
        out_channels=arguments["out_dim"],
        model_channels=arguments["dim"],
        channel_mult=tuple(arguments["dim_mult"]),
        num_res_blocks=arguments["num_res_blocks"],
        attention_levels=tuple(
            level
            for level in range(len(arguments["dim_mult"]))
            if 0.5**level in arguments["attn_scales"]
        ),
        head_channels=arguments["head_dim"],
        context_channels=arguments["context_dim"],
        initial_heads=arguments["num_heads"],
        initial_inside=True,
        conv_projections=True,
        bare_downsamplers=True,
        takes_rate=False,
        image_attention=None,
        gate=GATES[arguments["use_gate_self_attn"]],
    )


def with_official_weights(network: nn.Module, config: dict) -> nn.Module:
    """A network with the weights of a golden case."""
    network.load_state_dict(official_weights(config, shapes(network)))
    return network.eval()


def check_close(found: Tensor, expected: Tensor, config: dict) -> None:
    """Assert that an output is the official one, as closely as its case demands."""
    share = float(re.search(r"(\S+) \* abs_max", config["tolerance"]).group(1))
    assert_close(found, expected, share)
    assert (found - expected).abs().max() <= MOST_ERROR


def tiny_unet(config: Config = TINY, seed: int = 0) -> UNet3D:
    """A UNet whose learned factors are not zero, so that every tensor matters."""
    torch.manual_seed(seed)
    network = UNet3D(config).eval()
    for name, parameter in network.named_parameters():
        if "alpha" in name:
            nn.init.constant_(parameter, 0.5)
    return network


def tiny_inputs(config: Config = TINY, num_videos: int = 1, num_frames: int = 3) -> dict:
    """Arguments of a tiny UNet's call."""
    generator = torch.Generator().manual_seed(1)
    count = num_videos * num_frames

    def noise(*shape: int) -> Tensor:
        return torch.randn(count, *shape, generator=generator)

    inputs = {
        "latents": noise(config.in_channels, 4, 4),
        "timesteps": torch.full((count,), 500),
        "text": noise(5, config.context_channels),
        "num_frames": num_frames,
        "image_tokens": noise(4, config.context_channels),
    }
    if config.takes_rate:
        inputs["rate"] = torch.full((count,), 7)
    if config.gate:
        inputs["objects"] = noise(2, config.context_channels)
    return inputs
