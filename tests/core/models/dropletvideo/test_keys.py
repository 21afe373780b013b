"""Sizes of DropletVideo's networks, read from names and shapes."""

import json
from dataclasses import replace

import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.models.dropletvideo.config import TransformerConfig, VaeConfig
from fcvg_core.models.dropletvideo.keys import transformer_config, vae_config
from fcvg_core.models.dropletvideo.network import DropletVideoTransformer
from fcvg_core.models.dropletvideo.vae import VideoVae

SMALL = TransformerConfig(layers=1, heads=3, head_channels=16, time_channels=12, text_channels=8)
SMALL_VAE = VaeConfig(block_channels=(16, 32, 32, 32), layers=1, norm_groups=16)
TOLD = {
    "num_layers": 1, "num_attention_heads": 3, "attention_head_dim": 16, "in_channels": 33,
    "out_channels": 16, "time_embed_dim": 12, "text_embed_dim": 8, "more": None,
}  # fmt: skip
TOLD_VAE = {"block_out_channels": [16, 32, 32, 32], "layers_per_block": 1, "latent_channels": 16}
ROTARY = "use_rotary_positional_embeddings"


def empty(names: dict) -> dict[str, torch.Tensor]:
    return {name: torch.empty(tuple(shape), device="meta") for name, shape in names.items()}


def small(**sizes) -> dict[str, torch.Tensor]:
    return DropletVideoTransformer(replace(SMALL, **sizes), device="meta").state_dict()


def small_vae() -> dict[str, torch.Tensor]:
    return VideoVae(SMALL_VAE, device="meta").state_dict()


@pytest.fixture(scope="module")
def official(own_golden) -> dict[str, dict]:
    """Names and shapes of the official files, by the part of the model."""
    files = json.loads((own_golden / "dropletvideo/keys_full.json").read_text())
    return {name.partition("/")[0]: empty(names) for name, names in files.items() if "/" in name}


class TestTransformer:
    def test_official_file(self, official):
        assert transformer_config(official["transformer"], name="x") == TransformerConfig()

    def test_every_size(self):
        for sizes in ({}, {"layers": 3}, {"heads": 2, "head_channels": 32}, {"text_channels": 6}):
            assert transformer_config(small(**sizes), name="x") == replace(SMALL, **sizes)
        assert transformer_config(small(), name="x", told=TOLD) == SMALL

    def test_without_fps(self):
        state = {name: value for name, value in small().items() if "fps" not in name}
        message = (
            "x is a CogVideoX transformer without fps_embedding, .* use transformer/.* of Drop"
        )
        with pytest.raises(UserError, match=message):
            transformer_config(state, name="x")

    def test_2b(self):
        state = small(heads=30, head_channels=64)
        with pytest.raises(UserError, match=r"no rotary .* size 2B \(it has 1920 channels\)"):
            transformer_config(state, name="x")
        assert transformer_config(state, name="x", told={ROTARY: True}).channels == 1920
        state = {name: value for name, value in state.items() if "fps" not in name}
        with pytest.raises(UserError, match="CogVideoX transformer of the size 2B without fps"):
            transformer_config(state, name="x")

    @pytest.mark.parametrize("name", ["pos_embedding", "patch_embed.pos_embedding"])
    def test_added_positions(self, name):
        with pytest.raises(UserError, match=rf"x has no rotary positions, .*\(it holds {name}\)"):
            transformer_config({**small(), name: torch.empty(1, 9, 48)}, name="x")

    @pytest.mark.parametrize(
        ("told", "words"),
        [
            ({ROTARY: False}, f"{ROTARY} is False; expected true: only 2B models have no"),
            ({"num_layers": 30}, "num_layers is 30; expected 1, as x.safetensors has. Use the fol"),
            ({"in_channels": 16}, "in_channels is 16; expected 33"),
            ({"text_embed_dim": [8]}, r"text_embed_dim is \[8\]; expected 8"),
            ([], "holds a list; expected DropletVideo-5B's settings"),
        ],
    )
    def test_its_config_file_says_otherwise(self, told, words):
        with pytest.raises(UserError, match=f"transformer/config.json:? {words}"):
            transformer_config(small(), name="x.safetensors", told=told)

    @pytest.mark.parametrize(
        ("sizes", "words"),
        [
            ({"in_channels": 16}, r"x takes 16 channels and gives 16, but 33 \(noise, mask"),
            ({"out_channels": 4}, "x takes 33 channels and gives 4, but"),
            ({"layers": 65}, "65 layers. Use transformer/"),
            ({"heads": 3, "head_channels": 24}, "72 channels, heads of 24"),
        ],
    )
    def test_sizes_of_another_model(self, sizes, words):
        state = small(**{**sizes, "layers": 1})
        for layer in range(1, sizes.get("layers", 1)):
            state[f"transformer_blocks.{layer}.attn1.norm_q.weight"] = torch.empty(16)
        with pytest.raises(UserError, match=words):
            transformer_config(state, name="x")

    def test_a_tensor_is_missing(self):
        state = small()
        del state["norm_out.linear.bias"]
        with pytest.raises(UserError, match="it is a DropletVideo.* norm_out.linear.bias is missi"):
            transformer_config(state, name="x")

    @pytest.mark.parametrize(
        ("part", "kind"),
        [("vae", "a CogVideoX VAE"), ("text_encoder", "a T5 text encoder")],
    )
    def test_other_parts(self, official, part, kind):
        with pytest.raises(UserError, match=f"x is {kind}, but DropletVideo's transformer is need"):
            transformer_config(official[part], name="x")

    def test_no_tensor(self):
        with pytest.raises(UserError, match="x is an unknown file of 0 tensors, but"):
            transformer_config({}, name="x")


class TestVae:
    def test_official_file(self, official):
        assert vae_config(official["vae"], name="x") == VaeConfig()

    def test_groups_of_norms_that_nothing_tells_divide_all_channels(self):
        assert vae_config(small_vae(), name="x") == SMALL_VAE

    def test_config_file(self):
        told = {**TOLD_VAE, "norm_num_groups": 8}
        assert vae_config(small_vae(), name="x", told=told) == replace(SMALL_VAE, norm_groups=8)

    @pytest.mark.parametrize(
        ("told", "words"),
        [
            ({"norm_num_groups": 32}, "norm_num_groups is 32; expected a divisor of the channels"),
            ({"norm_num_groups": 0}, "norm_num_groups is 0; expected a divisor"),
            ({"norm_num_groups": "8"}, "norm_num_groups is '8'; expected a divisor"),
            ({"layers_per_block": 3}, "layers_per_block is 3; expected 1, as x has"),
            ({"block_out_channels": None}, r"block_out_channels is null; expected \[16, 32, 32, "),
        ],
    )
    def test_its_config_file_says_otherwise(self, told, words):
        with pytest.raises(UserError, match=f"vae/config.json: {words}"):
            vae_config(small_vae(), name="x", told=told)

    def test_other_latents(self):
        state = VideoVae(replace(SMALL_VAE, latent_channels=4), device="meta").state_dict()
        with pytest.raises(UserError, match="x is a CogVideoX VAE, but its sizes .* of 4 channels"):
            vae_config(state, name="x")

    def test_a_tensor_is_missing(self):
        state = small_vae()
        del state["encoder.conv_out.conv.bias"]
        with pytest.raises(UserError, match="encoder.conv_out.conv.bias is missing"):
            vae_config(state, name="x")

    def test_other_files(self, official):
        for state, kind in (
            (official["transformer"], "a DropletVideo transformer"),
            ({"decoder.conv_in.weight": torch.empty(1)}, "a VAE"),
        ):
            with pytest.raises(UserError, match=f"x is {kind}, but the VAE of DropletVideo or Cog"):
                vae_config(state, name="x")
