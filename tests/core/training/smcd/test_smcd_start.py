"""What training starts from: a first stage, released weights, and files that do not do."""

import json

import pytest
import torch
from smcd_stand_ins import smcd_weights, write_pickle, write_smcd
from stand_ins import packed

from fcvg_core.errors import UserError
from fcvg_core.training.smcd.start import open_start

FIRST_CONV = "input_blocks.0.0.weight"


def unet(network) -> dict[str, torch.Tensor]:
    return network.unet.state_dict()


def test_first_stage(places, caplog):
    """The first convolution is widened by zeros, what is new is drawn, all else is kept."""
    with caplog.at_level("INFO"):
        start = open_start(places.first_stage)
    assert "visual encoder begins anew" in caplog.text and start.has_boxes and start.is_stand_in
    network, official = start.load(1), smcd_weights(1)
    found = unet(network)
    assert torch.equal(found[FIRST_CONV][:, :4], official["unet"][FIRST_CONV])
    assert found[FIRST_CONV].shape[1] == 8 and not found[FIRST_CONV][:, 4:].any()
    kept = official["unet"].keys() - {FIRST_CONV}
    assert all(torch.equal(found[key], official["unet"][key]) for key in kept)
    new = found.keys() - official["unet"].keys()
    assert new and all("gate_attn.cross" in key or "gate_attn.v_linear" in key for key in new)
    factors = {key for key in new if "alpha" in key}
    assert factors and not any(found[key].any() for key in factors)
    assert all(found[key].any() for key in new if key.endswith("weight"))
    positions = network.position_net.state_dict()
    assert all(torch.equal(positions[key], x) for key, x in official["position_net"].items())
    again = open_start(places.first_stage).load(1)
    assert torch.equal(again.visual_encoder.conv_in.weight, network.visual_encoder.conv_in.weight)


@pytest.mark.parametrize("layout", ["official", "safetensors", "merged"])
def test_released_weights(tmp_path, layout):
    path = write_smcd(tmp_path, layout=layout)
    network = open_start(path).load(0)
    for part, tensors in smcd_weights(2).items():
        found = getattr(network, part).state_dict()
        rounded = (lambda x: x.half().float()) if layout == "merged" else (lambda x: x)
        assert all(torch.equal(found[key], rounded(x)) for key, x in tensors.items())


def test_a_folder_without_position_net(tmp_path, caplog):
    folder = write_smcd(tmp_path, stage=1)
    (folder / "pytorch_model_1.bin").unlink()
    start = open_start(folder)
    assert not start.has_boxes and "PositionNet, so it is trained from random" in caplog.text
    found = start.load(0).position_net
    assert found.linears[0].weight.any() and not found.null_position_feature.any()


def test_files_of_two_trainings(tmp_path):
    folder = write_smcd(tmp_path)
    wide = {key: x.repeat(*[2] * x.ndim) for key, x in smcd_weights()["position_net"].items()}
    sizes = {"null_position_feature": 64, "linears.0.weight": 192}
    tensors = {k: x[..., : sizes.get(k, x.shape[-1])] for k, x in wide.items()}
    tensors = {
        k: x[:512] if k.startswith(("linears.0", "linears.2")) else x for k, x in tensors.items()
    }
    tensors = {
        k: x[..., :512] if k in ("linears.2.weight", "linears.4.weight") else x
        for k, x in tensors.items()
    }
    write_pickle(folder / "pytorch_model_1.bin", {k: x.contiguous() for k, x in tensors.items()})
    with pytest.raises(
        UserError, match=r"model_1.bin gives tokens of width 128.*takes 64: use the files"
    ):
        open_start(folder)


class TestRefused:
    def test_modelscope(self, places):
        with pytest.raises(
            UserError, match="without gates for boxes.*The first stage.*not supported"
        ):
            open_start(places.modelscope / "text2video_pytorch_model.pth")

    def test_an_empty_folder(self, tmp_path):
        with pytest.raises(
            UserError, match="no pytorch_model.bin and no model.safetensors; expected"
        ):
            open_start(tmp_path)

    def test_no_folder(self, tmp_path):
        with pytest.raises(UserError, match="There is no .*gone; expected the folder of a first"):
            open_start(tmp_path / "gone")

    def test_another_network(self, tmp_path):
        path = tmp_path / "model.safetensors"
        path.write_bytes(packed(smcd_weights()["visual_encoder"]))
        with pytest.raises(UserError, match="visual encoder"):
            open_start(path)

    def test_no_weights(self, tmp_path):
        path = tmp_path / "smcd.safetensors"
        path.write_text(json.dumps({}))
        with pytest.raises(UserError):
            open_start(path)
