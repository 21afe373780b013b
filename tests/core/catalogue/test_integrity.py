"""Whole files and cut-off ones, told apart."""

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from weight_cases import repacked, save

from fcvg_core.catalogue.integrity import find_damage, is_whole


class TestIsWhole:
    def test_safetensors(self, tmp_path: Path) -> None:
        path = tmp_path / "a.safetensors"
        save_file({"x": torch.zeros(50)}, path, metadata={"format": "pt"})
        assert is_whole(path, ".safetensors")
        whole = path.read_bytes()
        for content in (b"", b"<html>", whole[:-1], whole[:20], whole + b"x", b"\xff" * 100):
            path.write_bytes(content)
            assert not is_whole(path, ".safetensors"), content[:20]

    @pytest.mark.parametrize("ending", [".tar", ".ckpt"])
    def test_cut_off(self, tmp_path: Path, ending: str) -> None:
        path = tmp_path / f"a{ending}"
        torch.save({"x": torch.zeros(50)}, path)
        assert is_whole(path, ending)
        path.write_bytes(path.read_bytes()[:-30])
        assert not is_whole(path, ending)

    def test_pickle(self, tmp_path: Path) -> None:
        path = tmp_path / "a.tar"
        torch.save({"x": torch.zeros(5)}, path, _use_new_zipfile_serialization=False)
        assert is_whole(path, ".tar")
        for content in (b"", b"<html>please log in</html>"):
            path.write_bytes(content)
            assert not any(is_whole(path, ending) for ending in (".tar", ".onnx", ".json"))
        path.write_text('{"a": 1}')
        assert is_whole(path, ".json") and not is_whole(tmp_path, ".onnx")


def test_damage_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(b"x")
    assert find_damage([path]) is None
    path.write_bytes(b"")
    assert find_damage([path]) == path


@pytest.mark.parametrize("how", ["compressed", "overlapping", "greedy"])
def test_archives_that_torch_never_writes(tmp_path: Path, how: str) -> None:
    plain = save(tmp_path / "plain.pth", {"x": torch.zeros(50), "y": torch.zeros(3)})
    assert find_damage([plain]) is None
    path = repacked(plain, tmp_path / "x.PTH", how)
    assert find_damage([path]) == path


@pytest.mark.parametrize("name", ["x.safetensors", "x.bin", "x.json", "x.onnx"])
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_no_file(tmp_path: Path, name: str) -> None:
    """None of these is opened: a pipe and a device may never end."""
    path = tmp_path / name
    os.mkfifo(path)
    assert find_damage([path]) == path
    path.unlink()
    path.symlink_to("/dev/zero")
    assert find_damage([path]) == path


@pytest.mark.parametrize("content", ["[" * 10**5, "1" + "0" * 400, '{"a": 1e999}'])
def test_settings_that_are_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    assert find_damage([tmp_path / "x.json"])
