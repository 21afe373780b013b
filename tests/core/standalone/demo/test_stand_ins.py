"""Tiny models in the official layouts."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from fcvg_core.errors import UserError
from fcvg_core.standalone.demo import stand_ins as module
from fcvg_core.standalone.demo.stand_ins import UNET, is_stand_in_file, write_stand_ins


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
    with pytest.raises(ValueError, match="not a folder"):
        write_stand_ins(tmp_path / "diary.txt")


def test_leaves_real_weights_alone(stand_ins, tmp_path) -> None:
    """Somebody has put a trained file in the place of a stand-in."""
    shutil.copytree(stand_ins, tmp_path / "m")
    save_file({"x": torch.zeros(2)}, tmp_path / "m" / "controlnext.safetensors")
    with pytest.raises(ValueError, match="controlnext.safetensors already exists, but is not a st"):
        write_stand_ins(tmp_path / "m")
    assert load_file(tmp_path / "m" / "controlnext.safetensors").keys() == {"x"}


class TestAgain:
    """What an interrupted run has left is completed; what is somebody's stays."""

    @pytest.fixture
    def folder(self, stand_ins, tmp_path, monkeypatch) -> Path:
        """A whole set; the contents are not made again for each test."""
        made = contents(stand_ins)
        monkeypatch.setattr(module, "_contents", lambda: made)
        shutil.copytree(stand_ins, tmp_path / "m")
        return tmp_path / "m"

    def test_whole(self, folder) -> None:
        times = {path: path.stat().st_mtime_ns for path in folder.rglob("*.*")}
        write_stand_ins(folder)
        assert times == {path: path.stat().st_mtime_ns for path in folder.rglob("*.*")}

    @pytest.mark.parametrize("stopped_at", range(11))
    def test_killed_while_it_writes(self, stand_ins, folder, tmp_path, monkeypatch, stopped_at):
        replace, done = os.replace, []

        def stop(part: Path, path: Path) -> None:
            done.append(path)
            if len(done) > stopped_at:
                raise KeyboardInterrupt
            replace(part, path)

        monkeypatch.setattr(os, "replace", stop)
        with pytest.raises(KeyboardInterrupt):
            write_stand_ins(tmp_path / "new")
        monkeypatch.setattr(os, "replace", replace)
        write_stand_ins(tmp_path / "new")
        assert contents(tmp_path / "new") == contents(stand_ins)

    @pytest.mark.parametrize("name", ["svd/unet/config.json", "unet.safetensors"])
    def test_a_file_that_breaks_off(self, stand_ins, folder, name) -> None:
        """As the versions before this one left them."""
        (folder / name).write_bytes((folder / name).read_bytes()[:100])
        write_stand_ins(folder)
        assert contents(folder) == contents(stand_ins)

    @pytest.mark.parametrize(
        "name", ["svd/scheduler/scheduler_config.json", "svd/unet/config.json", "unet.safetensors"]
    )
    @pytest.mark.parametrize("edit", [b"{}", b"more", None, "folder", "link"])
    def test_edited(self, folder, name, edit) -> None:
        path = folder / name
        if isinstance(edit, str):
            path.unlink()
            path.mkdir() if edit == "folder" else path.symlink_to(folder / "unplugged")
        else:
            path.write_bytes(path.read_bytes() + edit if edit else b"mine")
        (folder / "controlnext.safetensors").unlink()
        before = contents(folder)
        with pytest.raises(UserError, match=f"{name} already exists, but is not a stand-in"):
            write_stand_ins(folder)
        assert contents(folder) == before

    def test_a_folder_that_takes_no_file(self, folder, tmp_path) -> None:
        (tmp_path / "n").mkdir()
        (tmp_path / "n" / "svd").write_text("a file")
        with pytest.raises(UserError, match="svd.* can't be written .*: choose another folder"):
            write_stand_ins(tmp_path / "n")


def test_those_of_another_version_are_left(stand_ins, tmp_path) -> None:
    """Their files have other notes and another order, and say the same."""
    folder = tmp_path / "models"
    shutil.copytree(stand_ins, folder)
    config = folder / "svd" / "unet" / "config.json"
    written = dict(sorted(json.loads(config.read_text()).items())) | {"_diffusers_version": "0.28"}
    config.write_text(json.dumps(written, indent=4))
    weights = folder / "controlnext.safetensors"
    save_file(load_file(weights), weights, metadata={"stand_in": "in other words"})
    before = contents(folder)
    write_stand_ins(folder)
    assert contents(folder) == before
