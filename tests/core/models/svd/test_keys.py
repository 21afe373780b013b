import json
from dataclasses import replace

import pytest
import torch

from fcvg_core.models.controlnext import V1, V2, ControlNeXt, controlnext_config
from fcvg_core.models.kinds import check_keys, describe_kind
from fcvg_core.models.svd import rename_image_encoder, rename_unet, rename_vae


def empty(*keys):
    return {key: torch.zeros(1) for key in keys}


class TestRenameUnet:
    @pytest.mark.parametrize(
        ("published", "host"),
        [
            ("conv_in.weight", "input_blocks.0.0.weight"),
            ("conv_norm_out.bias", "out.0.bias"),
            ("conv_out.bias", "out.2.bias"),
            ("time_embedding.linear_2.weight", "time_embed.2.weight"),
            ("add_embedding.linear_1.weight", "label_emb.0.0.weight"),
            (
                "down_blocks.1.resnets.0.spatial_res_block.conv_shortcut.weight",
                "input_blocks.4.0.skip_connection.weight",
            ),
            (
                "down_blocks.2.resnets.1.temporal_res_block.time_emb_proj.bias",
                "input_blocks.8.0.time_stack.emb_layers.1.bias",
            ),
            (
                "down_blocks.0.resnets.0.time_mixer.mix_factor",
                "input_blocks.1.0.time_mixer.mix_factor",
            ),
            ("down_blocks.0.downsamplers.0.conv.weight", "input_blocks.3.0.op.weight"),
            (
                "down_blocks.0.attentions.1.temporal_transformer_blocks.0.norm_in.weight",
                "input_blocks.2.1.time_stack.0.norm_in.weight",
            ),
            (
                "mid_block.attentions.0.time_pos_embed.linear_2.weight",
                "middle_block.1.time_pos_embed.2.weight",
            ),
            (
                "mid_block.attentions.0.transformer_blocks.0.norm1.weight",
                "middle_block.1.transformer_blocks.0.norm1.weight",
            ),
            (
                "mid_block.resnets.1.spatial_res_block.norm2.weight",
                "middle_block.2.out_layers.0.weight",
            ),
            ("up_blocks.0.upsamplers.0.conv.weight", "output_blocks.2.1.conv.weight"),
            ("up_blocks.2.upsamplers.0.conv.weight", "output_blocks.8.2.conv.weight"),
            ("up_blocks.3.attentions.2.proj_out.bias", "output_blocks.11.1.proj_out.bias"),
        ],
    )
    def test_names(self, published, host):
        assert list(rename_unet(empty(published))) == [host]

    def test_every_official_name_has_its_own(self, own_golden):
        names = json.loads((own_golden / "fcvg/keys_svd_xt_unet_diffusers.json").read_text())
        renamed = rename_unet(empty(*names))
        assert len(renamed) == len(names)
        heads = {"input_blocks", "middle_block", "output_blocks", "out", "time_embed", "label_emb"}
        assert {name.split(".")[0] for name in renamed} == heads

    def test_names_of_the_host_stay(self):
        name = "output_blocks.2.1.conv.weight"
        assert list(rename_unet(empty("model.diffusion_model." + name))) == [name]


class TestRenameVae:
    def test_names(self):
        renamed = rename_vae(
            empty(
                "decoder.up_blocks.0.resnets.2.temporal_res_block.conv1.weight",
                "decoder.up_blocks.3.resnets.0.spatial_res_block.conv_shortcut.weight",
                "decoder.time_conv_out.weight",
                "encoder.mid_block.attentions.0.to_out.0.bias",
            )
        )
        assert list(renamed) == [
            "decoder.up.3.block.2.time_stack.in_layers.2.weight",
            "decoder.up.0.block.0.nin_shortcut.weight",
            "decoder.conv_out.time_mix_conv.weight",
            "encoder.mid.attn_1.proj_out.bias",
        ]

    def test_attention_becomes_convolution(self):
        renamed = rename_vae({"encoder.mid_block.attentions.0.to_q.weight": torch.ones(2, 2)})
        assert renamed["encoder.mid.attn_1.q.weight"].shape == (2, 2, 1, 1)

    def test_quant_conv_is_folded(self):
        torch.manual_seed(0)
        conv, quant = torch.nn.Conv2d(3, 8, 3), torch.nn.Conv2d(8, 8, 1)
        state = {
            **{f"encoder.conv_out.{k}": v for k, v in conv.state_dict().items()},
            **{f"quant_conv.{k}": v for k, v in quant.state_dict().items()},
        }
        renamed = rename_vae(state)
        folded = torch.nn.Conv2d(3, 8, 3)
        folded.load_state_dict({k.rsplit(".", 1)[1]: v for k, v in renamed.items()})
        x = torch.randn(1, 3, 5, 5)
        torch.testing.assert_close(folded(x), quant(conv(x)))
        assert "quant_conv.weight" in state  # what was handed in is left alone


def test_image_encoder_loses_a_buffer():
    state = empty("vision_model.embeddings.position_ids", "visual_projection.weight")
    assert list(rename_image_encoder(state)) == ["visual_projection.weight"]


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
            controlnext_config(empty("weird"), name="x")

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


class TestCheckKeys:
    expected = {"a": (1,), "b": (2, 3)}

    def test_right_ones(self):
        check_keys({"a": torch.zeros(1), "b": torch.zeros(2, 3)}, self.expected, name="x")
        check_keys({"a": torch.zeros(1)}, self.expected, name="x", partial=True)

    @pytest.mark.parametrize(
        ("state", "partial", "message"),
        [
            ({"a": torch.zeros(1)}, False, "b is missing"),
            ({"a": torch.zeros(2)}, True, r"a has the shape \(2,\), but \(1,\) is expected"),
            ({"c": torch.zeros(1)}, True, "c is unknown"),
            ({}, True, "holds no tensor"),
        ],
    )
    def test_wrong_ones(self, state, partial, message):
        with pytest.raises(ValueError, match=message):
            check_keys(state, self.expected, name="x", partial=partial)


def test_describe_tells_an_sd15_unet():
    state = empty("conv_in.weight", "down_blocks.0.resnets.0.conv1.weight")
    assert describe_kind(state) == "a UNet without temporal layers (SD 1.5 or 2)"
