"""The outputs of the official transformer."""

import json

import torch
from dropletvideo_cases import (
    each_pipeline_case,
    each_transformer_case,
    shapes,
    transformer_config,
)

from fcvg_core.models.dropletvideo.config import TransformerConfig
from fcvg_core.models.dropletvideo.network import DropletVideoTransformer
from fcvg_core.models.dropletvideo.rope import rotary_table

FULL = "transformer/diffusion_pytorch_model.safetensors"


@each_transformer_case()
@torch.inference_mode()
def test_velocity(case):
    network = case.transformer()
    for fps, expected in case.outputs:
        found = network(case.x, case.timesteps, context=case.context, fps=fps)
        case.check(found, expected)


@each_transformer_case()
def test_rotary_table(case):
    frames, height, width = case.x.shape[2:]
    grid = (height // 2, width // 2)
    channels = case.config["kwargs"]["attention_head_dim"]
    for name, table in zip(("cos", "sin"), rotary_table(frames, grid, channels), strict=True):
        torch.testing.assert_close(table, case.tensors[f"rope_{name}"], rtol=0, atol=1e-6)


@each_pipeline_case()
@torch.inference_mode()
def test_velocity_of_each_step(case):
    """With the official latents of each step, so that errors don't add up."""
    network = case.transformer()
    text = torch.cat([case.negative_text, case.text])
    starts = [case.noise, *case.latents[:-1]]
    for start, timestep, expected in zip(starts, case.timesteps, case.velocities, strict=True):
        x = torch.cat([start, case.conditions], dim=1).repeat(2, 1, 1, 1, 1)
        fps = torch.tensor([case.fps])
        case.check(network(x, timestep.expand(2), context=text, fps=fps), expected, of="inpaint")


def test_official_names(own_golden):
    names = json.loads((own_golden / "dropletvideo/keys_full.json").read_text())[FULL]
    network = DropletVideoTransformer(TransformerConfig(), device="meta")
    assert shapes(network) == {name: tuple(shape) for name, shape in names.items()}


def test_official_names_of_tiny_transformer(own_golden):
    folder = own_golden / "dropletvideo"
    config = json.loads((folder / "transformer.json").read_text())["config"]
    names = json.loads((folder / "keys.json").read_text())["transformer"]
    network = DropletVideoTransformer(transformer_config(config["kwargs"]), device="meta")
    assert shapes(network) == {name: tuple(shape) for name, shape in names.items()}
