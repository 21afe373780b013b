"""Tiny checkpoints of DynamiCrafter have the official names, kinds and layouts."""

import json
import re
from pathlib import Path

import pytest
import torch
from dynamicrafter_stand_ins import SCALES, dynamicrafter_weights, write_dynamicrafter
from safetensors.torch import load_file

VARIANTS = ("256", "512", "1024", "512_interp")


@pytest.fixture(scope="module")
def official() -> dict[str, dict[str, list[int]]]:
    """The names and shapes of the official files by variant."""
    path = Path(__file__).parents[1] / "golden" / "dynamicrafter" / "keys_full.json"
    manifest = json.loads(path.read_text())
    return {
        variant: next(keys for name, keys in manifest.items() if f"_{variant}_v1/" in name)
        for variant in VARIANTS
    }


def kinds(names) -> set[str]:
    """Names without the numbers of the layers."""
    return {re.sub(r"\b\d+\b", "N", name) for name in names}


@pytest.mark.parametrize("variant", VARIANTS)
def test_official_names(official, variant) -> None:
    weights = dynamicrafter_weights(variant)
    assert weights.keys() - official[variant].keys() == set()
    left_out = kinds(official[variant]) - kinds(weights)
    # Blocks of one width need no shortcut.
    assert all("nin_shortcut" in kind or "skip_connection" in kind for kind in left_out)
    assert all(value.ndim == len(official[variant][key]) for key, value in weights.items())


def test_the_unet_is_whole(official) -> None:
    """Only widths are smaller: the UNet has all blocks."""
    weights = dynamicrafter_weights("256")
    missing = official["256"].keys() - weights.keys()
    unet = {key for key in missing if key.startswith("model.")}
    assert unet == {
        f"model.diffusion_model.input_blocks.{block}.0.skip_connection.{kind}"
        for block in (4, 7)
        for kind in ("weight", "bias")
    }
    assert weights["model.diffusion_model.output_blocks.3.0.in_layers.2.weight"].shape[1] == 128
    assert weights["model.diffusion_model.init_attn.0.proj_in.weight"].shape == (512, 64, 1)


def test_what_tells_the_variants_apart() -> None:
    for variant in VARIANTS:
        weights = dynamicrafter_weights(variant)
        assert any("framestride_embed" in key for key in weights) == (variant == "256")
        assert any(key.endswith("attn2.alpha") for key in weights) == (variant == "256")
        if variant in SCALES:
            assert weights["scale_arr"].shape == (1400,) and weights["scale_arr"][0] == 1
            assert weights["scale_arr"][-1] == weights["scale_arr"][399] == SCALES[variant]


def test_layouts(tmp_path) -> None:
    def content(layout: str, fmt: str) -> dict:
        path = write_dynamicrafter(tmp_path, layout=layout, fmt=fmt)
        assert path.stat().st_size < 70 * 2**20
        return load_file(path) if fmt != ".ckpt" else torch.load(path, weights_only=True)

    whole = dynamicrafter_weights("512")
    checkpoint = content("official", ".ckpt")
    assert checkpoint["epoch"] and checkpoint["state_dict"].keys() == whole.keys()
    name = "model.diffusion_model.out.2.weight"
    assert torch.equal(checkpoint["state_dict"][name], whole[name])
    parallel = content("deepspeed", ".ckpt")["module"]
    assert {key[16:] for key in parallel} == whole.keys()
    pruned = content("pruned", ".safetensors")
    assert torch.equal(pruned[name].float(), whole[name])  # the values are exact in half precision
    assert {key.partition(".")[0] for key in pruned} == {
        "model",
        "image_proj_model",
        "first_stage_model",
    }
    unet = content("unet", ".safetensors")
    assert {key.partition(".")[0] for key in unet} == {"model", "image_proj_model"}
