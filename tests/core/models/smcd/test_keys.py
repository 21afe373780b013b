"""Sizes of SMCD's networks from their files, and wrong files."""

import json

import pytest
import torch
from torch import Tensor

from fcvg_core.errors import UserError
from fcvg_core.models.kinds import describe_kind
from fcvg_core.models.smcd import (
    PositionNet,
    PositionNetConfig,
    VisualEncoder,
    VisualEncoderConfig,
)
from fcvg_core.models.smcd.keys import (
    position_net_config,
    smcd_unet_config,
    visual_encoder_config,
)

SMALL = {
    position_net_config: (PositionNet, PositionNetConfig(in_channels=12, out_channels=20)),
    visual_encoder_config: (VisualEncoder, VisualEncoderConfig(channels=(8, 16), blocks=2)),
}


@pytest.fixture
def official(own_golden) -> dict[str, dict[str, Tensor]]:
    """Tensors of the official files, without values."""
    files = json.loads((own_golden / "smcd/keys_full.json").read_text())
    return {
        file: {key: _empty(shape) for key, shape in names.items()}
        for file, names in files.items()
        if file != "_note"
    }


def _empty(shape) -> Tensor:
    return torch.empty(shape, device="meta")


def test_official_files(official):
    unet = smcd_unet_config(official["pytorch_model.bin"], name="x")
    assert (unet.gate, unet.in_channels) == ("objects and image", 8)
    positions = position_net_config(official["pytorch_model_1.bin"], name="x")
    assert positions == PositionNetConfig()
    encoder = visual_encoder_config(official["pytorch_model_2.bin"], name="x")
    assert encoder == VisualEncoderConfig()


def test_official_files_are_told(official):
    told = {file: describe_kind(tensors) for file, tensors in official.items()}
    assert told["pytorch_model.bin"] == told["stage1/pytorch_model.bin"] == "an SMCD UNet"
    assert told["pytorch_model_1.bin"] == "SMCD's PositionNet"
    assert told["pytorch_model_2.bin"] == "SMCD's visual encoder"


@pytest.mark.parametrize("read", SMALL)
def test_other_sizes(read):
    kind, config = SMALL[read]
    tensors = kind(config, device="meta").state_dict()
    assert read(tensors, name="x") == config


@pytest.mark.parametrize("read", SMALL)
def test_a_tensor_too_many_or_too_few(read):
    kind, config = SMALL[read]
    tensors = kind(config).state_dict()
    with pytest.raises(UserError, match="more is unknown"):
        read({**tensors, "more": torch.zeros(1)}, name="x")
    lost = next(key for key in tensors if key.endswith("bias"))
    del tensors[lost]
    with pytest.raises(UserError, match=f"{lost} is missing"):
        read(tensors, name="x")


@pytest.mark.parametrize("read", [*SMALL, smcd_unet_config])
def test_other_files(read, official):
    """Of each network the files of the others, a file of nothing, and one of absurd sizes."""
    own = {position_net_config: "_1", visual_encoder_config: "_2", smcd_unet_config: ""}[read]
    files = [official[f"pytorch_model{x}.bin"] for x in ("", "_1", "_2") if x != own]
    files += [{}, {"linears.4.weight": _empty((10**9, 512)), "body.0.block1.weight": _empty(())}]
    for tensors in files:
        with pytest.raises(UserError, match=r"^x\.bin is .* needed: use "):
            read(tensors, name="x.bin")


def test_first_stage(official):
    with pytest.raises(UserError, match="first stage of training, which knows boxes but no pict"):
        smcd_unet_config(official["stage1/pytorch_model.bin"], name="x")


def test_base_model(official):
    base = official["text2video_pytorch_model.pth"]
    with pytest.raises(UserError, match="a UNet of a text-to-video model, but SMCD's UNet is need"):
        smcd_unet_config(base, name="x")
