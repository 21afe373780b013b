"""Tiny models in the official layouts."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file
from stand_ins import UNET, write_stand_ins


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.slow
def test_the_same_everywhere(stand_ins, tmp_path) -> None:
    write_stand_ins(tmp_path / "again")
    assert contents(tmp_path / "again") == contents(stand_ins)


def test_small(stand_ins) -> None:
    assert sum(path.stat().st_size for path in stand_ins.rglob("*.*")) < 50 * 2**20


def test_official_keys(stand_ins, own_golden) -> None:
    for name, keys in (("unet", "svd_xt_unet_diffusers"), ("controlnext", "controlnext_v2")):
        official = json.loads((own_golden / "fcvg" / f"keys_{keys}.json").read_text())
        # Blocks of one width need no shortcut.
        expected = {key for key in official if name != "unet" or "conv_shortcut" not in key}
        assert load_file(stand_ins / f"{name}.safetensors").keys() - official.keys() == set()
        assert expected - load_file(stand_ins / f"{name}.safetensors").keys() == set()


def test_layout(stand_ins) -> None:
    parts = json.loads((stand_ins / "svd" / "model_index.json").read_text())
    assert all((stand_ins / "svd" / part).is_dir() for part in parts if not part.startswith("_"))
    unet = json.loads((stand_ins / "svd" / "unet" / "config.json").read_text())
    assert unet["block_out_channels"] == UNET["block_out_channels"]


def test_fine_tune_is_not_the_base(stand_ins) -> None:
    base = load_file(stand_ins / "svd" / "unet" / "diffusion_pytorch_model.safetensors")
    tuned = load_file(stand_ins / "unet.safetensors")
    assert base.keys() == tuned.keys()
    assert (base["conv_in.weight"] != tuned["conv_in.weight"]).any()
