"""Tiny models of SMCD have the official names, layouts and kinds, and the networks take them."""

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from smcd_stand_ins import (
    BASE_FILE,
    CLIP_FILE,
    CONTEXT,
    VAE_FILE,
    clip_weights,
    smcd_weights,
    vae_weights,
    write_modelscope,
    write_smcd,
)

from fcvg_core.catalogue.stand_ins import is_stand_in
from fcvg_core.models.smcd.keys import (
    position_net_config,
    smcd_unet_config,
    visual_encoder_config,
)
from fcvg_core.models.smcd.rules import (
    FILE_NAMES,
    NETWORKS,
    POSITION_NET,
    UNET,
    VISUAL_ENCODER,
    split_merged,
)
from fcvg_core.models.unet3d import unet3d_config


@pytest.fixture(scope="module")
def official() -> dict[str, dict[str, list[int]]]:
    """The names and shapes of the official files."""
    path = Path(__file__).parents[1] / "golden" / "smcd" / "keys_full.json"
    return json.loads(path.read_text(encoding="utf-8"))


def kinds(names) -> set[str]:
    """Names without the numbers of the layers."""
    return {re.sub(r"\b\d+\b", "N", name) for name in names}


def check_names(weights, official) -> None:
    """Assert that the tensors have official names, and that no kind of tensor is left out."""
    assert weights.keys() <= official.keys()
    left_out = kinds(official) - kinds(weights)
    # Blocks of one width need no shortcut.
    assert all("nin_shortcut" in kind for kind in left_out)
    assert all(value.ndim == len(official[key]) for key, value in weights.items())


@pytest.mark.parametrize("layout", ("official", "safetensors"))
def test_the_folder(tmp_path, official, layout) -> None:
    folder = write_smcd(tmp_path, layout=layout)
    assert sum(path.stat().st_size for path in folder.iterdir()) < 48 * 2**20
    weights = smcd_weights()
    names = FILE_NAMES[layout == "safetensors"]
    for part, name, other in zip(NETWORKS, names, FILE_NAMES[0], strict=True):
        path = folder / name
        found = torch.load(path, weights_only=True) if layout == "official" else load_file(path)
        assert found.keys() == weights[part].keys() and is_stand_in(path)
        if part == UNET:  # it has fewer blocks, of the same kinds
            assert kinds(found) <= kinds(official[other])
        else:
            check_names(found, official[other])
        key = next(iter(found))
        assert torch.equal(found[key].float(), weights[part][key])


def test_the_networks_take_the_weights() -> None:
    weights = smcd_weights()
    unet = smcd_unet_config(weights[UNET], name="x")
    assert unet.gate == "objects and image" and unet.context_channels == CONTEXT
    objects = position_net_config(weights[POSITION_NET], name="x")
    picture = visual_encoder_config(weights[VISUAL_ENCODER], name="x")
    assert objects.in_channels == objects.out_channels == picture.channels[-1] == CONTEXT
    first = smcd_weights(1)
    assert first.keys() == {UNET, POSITION_NET}
    assert unet3d_config(first[UNET], name="x").gate == "objects"


def test_the_merged_file(tmp_path) -> None:
    path = write_smcd(tmp_path, layout="merged")
    assert is_stand_in(path)
    found = split_merged(load_file(path))
    assert {part: names.keys() for part, names in found.items()} == {
        part: values.keys() for part, values in smcd_weights().items()
    }


def test_modelscope_s_folder(tmp_path, official) -> None:
    folder = write_modelscope(tmp_path)
    assert sum(path.stat().st_size for path in folder.iterdir()) < 48 * 2**20
    config = json.loads((folder / "configuration.json").read_text(encoding="utf-8"))
    files = config["model"]["model_args"]
    assert {files[f"ckpt_{x}"] for x in ("clip", "unet", "autoencoder")} == {
        CLIP_FILE, BASE_FILE, VAE_FILE,
    }  # fmt: skip
    clip = torch.load(folder / CLIP_FILE, weights_only=True)
    assert clip.keys() == clip_weights().keys() and is_stand_in(folder / CLIP_FILE)
    check_names(clip, official[CLIP_FILE])
    vae = torch.load(folder / VAE_FILE, weights_only=True)["state_dict"]
    assert {key.rpartition("first_stage_model.")[2] for key in vae} == vae_weights().keys()
    check_names(vae_weights(), official[next(x for x in official if VAE_FILE in x)])
    base = torch.load(folder / BASE_FILE, weights_only=True)
    assert kinds(base) <= kinds(official[BASE_FILE])
    config = unet3d_config(base, name="x")
    assert config.gate is None and config.in_channels == 4 and config.context_channels == CONTEXT
