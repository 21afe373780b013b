import json
from dataclasses import replace

import pytest
import torch

from fcvg_core.models.controlnext import V1, V2, ControlNeXt, controlnext_config


class TestControlnextConfig:
    def test_reads_the_last_layer(self):
        state = ControlNeXt(replace(V2, out_channels=64)).state_dict()
        assert controlnext_config(state, name="x") == replace(V2, out_channels=64)

    @pytest.mark.parametrize("left_out", ["scale", "down_res.2."])
    def test_version_1(self, left_out):
        """Either of its two marks is enough, so that a damaged file is named rightly."""
        whole = ControlNeXt(replace(V1, out_channels=64), device="meta").state_dict()
        state = {key: value for key, value in whole.items() if not key.startswith(left_out)}
        assert controlnext_config(state, name="x") == replace(V1, out_channels=64)
        assert controlnext_config(state, name="x") != replace(V2, out_channels=64)

    def test_something_else(self):
        with pytest.raises(ValueError, match="an unknown file of 1 tensors"):
            controlnext_config({"weird": torch.zeros(1)}, name="x")

    def test_official_names(self, own_golden):
        names = json.loads((own_golden / "fcvg/keys_controlnext_v2.json").read_text())
        state = ControlNeXt(V2).state_dict()
        assert {k: list(v.shape) for k, v in state.items()} == names

    def test_official_names_of_version_1(self, own_golden):
        text = (own_golden / "controlnext/keys_controlnext_v1.json").read_text()
        names = {k: tuple(v) for k, v in json.loads(text).items()}
        assert len(names) == 65
        state = {key: torch.empty(shape, device="meta") for key, shape in names.items()}
        network = ControlNeXt(controlnext_config(state, name="x"), device="meta")
        assert network.config == V1
        assert {k: tuple(v.shape) for k, v in network.state_dict().items()} == names
