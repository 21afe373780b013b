"""Sizes and switches of published UNets, read from names and shapes."""

import json
from dataclasses import replace

import pytest
import torch
from unet3d_cases import shapes

from fcvg_core.errors import UserError
from fcvg_core.models.unet3d import Config, UNet3D, unet3d_config

TINY = Config(model_channels=64, channel_mult=(1, 2, 2), num_res_blocks=1, context_channels=32)
MODELSCOPE = Config(
    in_channels=4,
    initial_inside=True,
    conv_projections=True,
    bare_downsamplers=True,
    takes_rate=False,
    image_attention=None,
)
SMCD_FILES = {
    "pytorch_model.bin": replace(MODELSCOPE, in_channels=8, gate="objects and image"),
    "stage1/pytorch_model.bin": replace(MODELSCOPE, gate="objects"),
    "text2video_pytorch_model.pth": MODELSCOPE,
}


def empty(names: dict) -> dict[str, torch.Tensor]:
    return {name: torch.empty(tuple(shape), device="meta") for name, shape in names.items()}


def state(config: Config = TINY) -> dict[str, torch.Tensor]:
    return UNet3D(config, device="meta").state_dict()


@pytest.mark.parametrize("file", SMCD_FILES)
def test_official_files_of_smcd(own_golden, file):
    """All three UNets at full size; DynamiCrafter's are in the tests of its own keys."""
    names = json.loads((own_golden / "smcd/keys_full.json").read_text())[file]
    config = unet3d_config(empty(names), name=file)
    assert config == SMCD_FILES[file]
    assert shapes(UNet3D(config, device="meta")) == {k: tuple(v) for k, v in names.items()}


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"num_res_blocks": 2, "attention_levels": (1,), "channel_mult": (1, 3)},
        {"attention_levels": ()},
        {"channel_mult": (2,), "attention_levels": (0,), "out_channels": 8},
        {"image_attention": "learned", "initial_heads": 3},
        {"image_attention": None, "takes_rate": False, "gate": "objects"},
        {"initial_inside": True, "bare_downsamplers": True, "conv_projections": True},
    ],
)
def test_sizes_and_switches(changed):
    config = replace(TINY, **changed)
    assert unet3d_config(state(config), name="x") == config


class TestWrongFiles:
    def test_something_else(self):
        with pytest.raises(UserError, match=r"x.pth is an unknown file.*DynamiCrafter or SMCD"):
            unet3d_config({"a": torch.zeros(1)}, name="x.pth")
        with pytest.raises(UserError, match="is an unknown file of 0 tensors"):
            unet3d_config({}, name="x.pth")

    def test_missing_tensor(self):
        tensors = state()
        del tensors["output_blocks.2.0.in_layers.2.bias"]
        message = r"it is a DynamiCrafter UNet. output_blocks.2.0.in_layers.2.bias is missing"
        with pytest.raises(UserError, match=message):
            unet3d_config(tensors, name="x")

    def test_cut_off_in_the_middle(self):
        tensors = {k: v for k, v in state().items() if not k.startswith("input_blocks.3.")}
        with pytest.raises(UserError, match="input_blocks.3.* is missing|is needed"):
            unet3d_config(tensors, name="x")

    def test_unknown_tensor(self):
        tensors = {**state(), "extra.weight": torch.zeros(1)}
        with pytest.raises(UserError, match="extra.weight is unknown"):
            unet3d_config(tensors, name="x")

    @pytest.mark.parametrize(
        ("name", "shape"),
        [
            ("input_blocks.0.0.weight", (64,)),
            ("input_blocks.0.0.weight", (65, 8, 3, 3)),
            ("input_blocks.0.0.weight", (0, 8, 3, 3)),
            ("input_blocks.0.0.weight", (128, 8, 3, 3)),
            ("input_blocks.0.0.weight", (2**40, 8, 3, 3)),
            ("init_attn.0.proj_in.weight", (32, 64, 1)),
            ("input_blocks.1.0.in_layers.2.weight", (96, 64, 3, 3)),
            ("out.2.weight", ()),
        ],
    )
    def test_impossible_size(self, name, shape):
        tensors = {**state(), name: torch.empty(shape, device="meta")}
        with pytest.raises(UserError, match="is needed: use the original file"):
            unet3d_config(tensors, name="x")
