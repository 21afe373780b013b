import json
from dataclasses import replace

import pytest
import torch
from unet3d_cases import TINY, TINY_SMCD

from fcvg_core.models.kinds import check_keys, describe_kind
from fcvg_core.models.unet3d import UNet3D


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
    names = ("conv_in.weight", "down_blocks.0.resnets.0.conv1.weight")
    state = {name: torch.zeros(1) for name in names}
    assert describe_kind(state) == "a UNet without temporal layers (SD 1.5 or 2)"


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        (TINY, "a DynamiCrafter UNet"),
        (TINY_SMCD, "an SMCD UNet"),
        (replace(TINY_SMCD, gate=None), "a UNet of a text-to-video model"),
    ],
)
def test_describe_tells_unets_with_layers_over_frames(config, kind):
    assert describe_kind(UNet3D(config, device="meta").state_dict()) == kind


def test_describe_tells_official_checkpoints_of_dynamicrafter(own_golden):
    files = json.loads((own_golden / "dynamicrafter/keys_full.json").read_text())
    for names in (names for title, names in files.items() if title != "_note"):
        assert describe_kind(names) == "a DynamiCrafter checkpoint"
        prefix = "image_proj_model."
        projector = {k.removeprefix(prefix): v for k, v in names.items() if k.startswith(prefix)}
        assert describe_kind(projector) == "an image projector of DynamiCrafter"


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ("transformer", "a DropletVideo transformer"),
        ("vae", "a CogVideoX VAE"),
        ("text_encoder", "a T5 text encoder"),
    ],
)
def test_describe_tells_official_files_of_dropletvideo(own_golden, part, kind):
    files = json.loads((own_golden / "dropletvideo/keys_full.json").read_text())
    names = next(names for title, names in files.items() if title.startswith(f"{part}/"))
    assert describe_kind(names) == kind


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["patch_embed.text_proj.weight", "time_embedding.linear_1.weight"], "transformer"),
        (["patch_embed.text_proj.weight", "time_embedding_linear_1.weight"], "transformer"),
        (["decoder.conv_in.conv.weight", "decoder.norm_out.norm_layer.weight"], "VAE"),
    ],
)
def test_describe_tells_cogvideox(names, kind):
    assert describe_kind(dict.fromkeys(names)) == f"a CogVideoX {kind}"


def test_describe_tells_umt5_from_t5():
    """Every layer of UMT5 has a table of positions, but only the first layer of T5."""
    layer = "encoder.block.{}.layer.0.SelfAttention.{}.weight"
    names = [layer.format(0, "q"), layer.format(1, "relative_attention_bias")]
    assert describe_kind(dict.fromkeys(names)) == "a UMT5 text encoder"
