"""Tiny models of DropletVideo have the official names, kinds and layouts."""

import json
import re

import pytest
import torch
from dropletvideo_stand_ins import (
    CONFIGS,
    MANIFEST,
    SINGLE_FILES,
    TEXT,
    TRANSFORMER,
    VAE,
    WEIGHTS,
    droplet_weights,
    write_droplet,
)
from safetensors.torch import load_file

from fcvg_core.catalogue.stand_ins import is_stand_in


def kinds(names) -> set[str]:
    """Names without the numbers of the layers."""
    return {re.sub(r"\b\d+\b", "N", name) for name in names}


@pytest.mark.parametrize("part", (TRANSFORMER, VAE, TEXT))
def test_official_names(part) -> None:
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    (official,) = (keys for name, keys in manifest.items() if name.startswith(part))
    weights = droplet_weights()[part]
    assert weights.keys() - official.keys() == set()
    # Blocks of one width need no shortcut.
    assert all("conv_shortcut" in kind for kind in kinds(official) - kinds(weights))
    assert all(value.ndim == len(official[key]) for key, value in weights.items())


def test_the_networks_of_the_libraries_take_the_weights() -> None:
    """diffusers' VAE has the names of DropletVideo's, and transformers' T5 is the text encoder."""
    from diffusers import AutoencoderKLCogVideoX
    from transformers import T5Config, T5EncoderModel

    told = {key: x for key, x in CONFIGS["vae/config.json"].items() if not key.startswith("_")}
    with torch.device("meta"):
        vae = AutoencoderKLCogVideoX(**told)
        text = T5EncoderModel(T5Config(**CONFIGS["text_encoder/config.json"]))
    for network, part in ((vae, VAE), (text, TEXT)):
        shapes = {key: value.shape for key, value in network.state_dict().items()}
        assert shapes == {key: value.shape for key, value in droplet_weights()[part].items()}


@pytest.mark.parametrize("layout", ("official", "bf16"))
def test_the_folder(tmp_path, layout) -> None:
    folder = write_droplet(tmp_path, layout=layout)
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 8 * 2**20
    index = json.loads((folder / TEXT / "model.safetensors.index.json").read_text("utf-8"))
    text = {}
    for name in set(index["weight_map"].values()):
        shard = load_file(folder / TEXT / name)
        assert {key for key, at in index["weight_map"].items() if at == name} == shard.keys()
        text |= shard
    # transformers writes one of the two names of the embedding.
    assert droplet_weights()[TEXT].keys() - text.keys() == {"encoder.embed_tokens.weight"}
    transformer = load_file(folder / TRANSFORMER / f"{WEIGHTS}.safetensors")
    dtype = torch.half if layout == "official" else torch.bfloat16
    assert {value.dtype for value in (*text.values(), *transformer.values())} == {dtype}
    whole = write_droplet(tmp_path / "whole", layout=layout, sharded=False)
    assert load_file(whole / TEXT / "model.safetensors").keys() == text.keys()
    for part in (TRANSFORMER, VAE, TEXT):
        assert is_stand_in(folder / "model_index.json", [part])


@pytest.mark.parametrize("layout", ("single", "fp8"))
def test_single_files(tmp_path, layout) -> None:
    folder = write_droplet(tmp_path, layout=layout)
    for part, name in SINGLE_FILES[layout].items():
        weights = load_file(folder / name)
        assert weights.keys() == droplet_weights()[part].keys()
        assert is_stand_in(folder / name)
        small = {key for key, value in weights.items() if value.dtype == torch.float8_e4m3fn}
        matrices = {key for key, value in weights.items() if value.ndim > 1}
        assert small == (matrices if layout == "fp8" and part != VAE else set())


def test_the_tokenizer(tmp_path) -> None:
    """The special tokens are T5's, and the text encoder has a row for each piece."""
    from transformers import T5Tokenizer

    tokenizer = T5Tokenizer.from_pretrained(str(write_droplet(tmp_path) / "tokenizer"))
    tokens = tokenizer("A boat moves.", padding="max_length", max_length=400).input_ids
    assert len(tokens) == 400 and tokens[-1] == 0 and tokens[tokens.index(1) :].count(0) > 300
    assert 2 not in tokens and len(tokenizer) < 32128
    assert tokenizer.decode(tokens, skip_special_tokens=True) == "A boat moves."
