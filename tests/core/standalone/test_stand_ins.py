"""Tiny models in the official layouts."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from fcvg_core.standalone.stand_ins import UNET, is_stand_in_file, write_stand_ins

FILES = ("unet.safetensors", "controlnext.safetensors",
         "svd/vae/diffusion_pytorch_model.safetensors")  # fmt: skip


@pytest.mark.slow
def test_the_same_everywhere(stand_ins, tmp_path) -> None:
    write_stand_ins(tmp_path / "again")
    for name in FILES:
        one, other = load_file(tmp_path / "again" / name), load_file(stand_ins / name)
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)
    write_stand_ins(tmp_path / "again")  # its own work it may write anew


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


def test_marked(stand_ins, tmp_path) -> None:
    assert is_stand_in_file(stand_ins / "controlnext.safetensors")
    (tmp_path / "text.safetensors").write_text("no model")
    assert not is_stand_in_file(tmp_path / "text.safetensors")
    assert not is_stand_in_file(tmp_path / "missing.safetensors")


def test_leaves_other_things_alone(tmp_path) -> None:
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(ValueError, match="not empty"):
        write_stand_ins(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["diary.txt"]
    with pytest.raises(ValueError, match="no folder"):
        write_stand_ins(tmp_path / "diary.txt")


def test_leaves_real_weights_alone(stand_ins, tmp_path) -> None:
    """Somebody has put a trained file in the place of a stand-in."""
    shutil.copytree(stand_ins, tmp_path / "m")
    save_file({"x": torch.zeros(2)}, tmp_path / "m" / "controlnext.safetensors")
    with pytest.raises(ValueError, match="controlnext.safetensors is there, and is no stand-in"):
        write_stand_ins(tmp_path / "m")
    assert load_file(tmp_path / "m" / "controlnext.safetensors").keys() == {"x"}
