"""Which model files there are, and where they are found."""

import importlib.util
import json
from pathlib import Path

import pytest
from hosts import ROOT

from fcvg_core.catalogue import comfyui as comfyui_module
from fcvg_core.catalogue import find as model_files
from fcvg_core.catalogue.comfyui import comfyui_version, find_comfyui, model_roots
from fcvg_core.catalogue.families import (
    find_model,
    list_files,
    missing,
    modes_helped_by,
    modes_needing,
)
from fcvg_core.catalogue.packages import OLDEST_COMFYUI as OLDEST
from fcvg_core.catalogue.packages import parse_version
from fcvg_core.catalogue.svd import SVD_PARTS
from fcvg_core.standalone.cli.main import main

CATALOGUE = list_files()


@pytest.fixture
def comfyui(tmp_path: Path, monkeypatch) -> Path:
    """A folder that looks like a ComfyUI."""
    folder = tmp_path / "ComfyUI"
    (folder / "models").mkdir(parents=True)
    (folder / "comfyui_version.py").write_text('__version__ = "0.8.0"\n')
    monkeypatch.setenv("COMFYUI_PATH", str(folder))
    monkeypatch.delenv("FCVG_MODELS", raising=False)
    return folder


def put(root: Path, name: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    if path.suffix == ".json":
        path.write_text("StableVideoDiffusionPipeline")
        for part in SVD_PARTS:
            put(path.parent, f"{part}/model.safetensors")
    return path


class TestCatalogue:
    def test_every_file_is_for_something(self) -> None:
        for file in CATALOGUE:
            assert modes_needing(file) or modes_helped_by(file)
            assert file.size and file.licence and file.source and file.comfyui and file.folder

    @pytest.mark.parametrize("kind", ["comfyui", "folder"])
    def test_found_where_it_says(self, tmp_path: Path, kind: str) -> None:
        for file in CATALOGUE:
            for i, name in enumerate(getattr(file, kind)):
                root = tmp_path / f"{CATALOGUE.index(file)}_{i}"
                path = put(root, name.replace("*", "safetensors"))
                assert file.find([(kind, root)]) == path

    def test_the_loaders_look_there_too(self, tmp_path: Path, monkeypatch) -> None:
        """What is found under the first name is what a run takes."""
        for file in CATALOGUE:
            put(tmp_path, file.folder[0])
        monkeypatch.setenv("FCVG_MODELS", str(tmp_path))
        roots = comfyui_module.known_folders()
        assert roots == [("folder", tmp_path)]
        for names in (model_files.FCVG_SET, model_files.CONTROLNEXT_SVD_SET):
            found = model_files.find_models(tmp_path, None, None, model_set=names, roots=roots)
            assert found.unet == find_model(names.unet, roots)
            assert found.controlnext == find_model(names.controlnext, roots)
        assert None not in model_files.find_gluestick(None, None, roots)
        assert model_files.find_dwpose(None, None, roots)

    def test_missing(self, stand_ins: Path, tmp_path: Path) -> None:
        assert missing("inbetween", [("folder", stand_ins)]) == []
        assert len(missing("inbetween", [("folder", tmp_path / "none")])) == 3


class TestRoots:
    def test_comfyui(self, comfyui: Path, monkeypatch, tmp_path: Path) -> None:
        assert find_comfyui() == comfyui and comfyui_version(comfyui) == "0.8.0"
        assert model_roots(comfyui) == [("comfyui", comfyui / "models")]
        monkeypatch.setenv("FCVG_MODELS", str(tmp_path))
        assert model_roots(None) == [("folder", tmp_path)]

    def test_extra_model_paths(self, comfyui: Path, tmp_path: Path) -> None:
        (comfyui / "extra_model_paths.yaml").write_text(
            f"mine:\n  base_path: {tmp_path / 'shared'}\n  is_default: true\n"
            "  dwpose: poses\n  unet: |\n    a\n    b\n"
            f"others:\n  controlnext: {tmp_path / 'nets'}\nempty:\n"
        )
        paths = {
            "DWPose, yolox_l.onnx": put(tmp_path, "shared/poses/yolox_l.onnx"),
            "FCVG's UNet": put(tmp_path, "shared/b/svd/fcvg_unet.safetensors"),
            "FCVG's ControlNeXt": put(tmp_path, "nets/fcvg_controlnext.safetensors"),
        }
        put(tmp_path, "shared/gluestick/superpoint_v1.pth")  # no folder that ComfyUI is told of
        roots = model_roots(comfyui)
        found = {file.name: file.find(roots) for file in CATALOGUE}
        assert {name: path for name, path in found.items() if path} == paths

    def test_sub_folders(self, comfyui: Path) -> None:
        """ComfyUI's lists show what lies in them."""
        for name in ("unet/old", "diffusion_models/svd"):
            path = put(comfyui / "models", f"{name}/fcvg_unet.safetensors")
            assert find_model("fcvg-unet", model_roots(comfyui)) == path

    def test_linked_folders(self, comfyui: Path, tmp_path: Path) -> None:
        """So are large models shared by several programs."""
        put(tmp_path / "other disk", "deep/fcvg_unet.safetensors")
        (comfyui / "models" / "diffusion_models").mkdir()
        link = comfyui / "models" / "diffusion_models" / "linked"
        link.symlink_to(tmp_path / "other disk")
        found = find_model("fcvg-unet", model_roots(comfyui))
        assert found == link / "deep" / "fcvg_unet.safetensors"

    def test_code_and_models_apart(self, monkeypatch, tmp_path: Path) -> None:
        """The desktop edition's folder has models and node packs, and no version."""
        monkeypatch.delenv("COMFYUI_PATH", raising=False)
        monkeypatch.setattr(comfyui_module, "PACK", tmp_path / "custom_nodes" / "fcvg")
        (tmp_path / "custom_nodes" / "fcvg").mkdir(parents=True)
        assert find_comfyui() is None
        (tmp_path / "models").mkdir()
        assert find_comfyui() == tmp_path and comfyui_version(tmp_path) is None
        monkeypatch.setattr(comfyui_module, "PACK", tmp_path / "elsewhere" / "more" / "fcvg")
        assert find_comfyui() is None
        monkeypatch.setattr(comfyui_module, "PACK", Path("/fcvg"))  # as in a container
        assert find_comfyui() is None

    @pytest.mark.parametrize("text", ["{", "- 1", "a: [", "\x00"])
    def test_a_broken_file(self, comfyui: Path, text: str) -> None:
        (comfyui / "extra_model_paths.yaml").write_text(text)
        assert model_roots(comfyui) == [("comfyui", comfyui / "models")]

    def test_the_oldest_is_the_same_everywhere(self) -> None:
        project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        assert f'requires-comfyui = ">={".".join(map(str, OLDEST))}"' in project
        spec = importlib.util.spec_from_file_location("door", ROOT / "__init__.py")
        door = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(door)
        assert door.OLDEST_HOST == OLDEST
        for version in ("0.3.64", "2.0rc1", "5.0.0.93", "2.11.0+cu128", ""):
            assert door._parse_version(version) == parse_version(version)

    def test_none(self, monkeypatch, tmp_path: Path) -> None:
        monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
        assert find_comfyui() is None


class TestCommand:
    def test_list(self, comfyui: Path, capsys) -> None:
        path = put(comfyui / "models", "controlnext/fcvg_controlnext.safetensors")
        assert main(["models"]) == 0
        printed = capsys.readouterr().out
        assert str(path) in printed and "MISSING FCVG's UNet" in printed
        assert "models/diffusion_models/fcvg_unet.safetensors" in printed
        assert "non-commercial" in printed and "animate: " in printed
        assert main(["models", "--mode", "animate"]) == 0
        assert "GlueStick" not in capsys.readouterr().out

    def test_json(self, comfyui: Path, capsys) -> None:
        assert main(["models", "--json"]) == 0
        rows = json.loads(capsys.readouterr().out)
        assert len(rows) == len(CATALOGUE) and not any(row["found"] for row in rows)
        assert len({row["key"] for row in rows}) == len(rows)

    def test_needed(self, comfyui: Path, capsys) -> None:
        assert main(["models", "--mode", "inbetween", "--needed"]) == 0
        printed = capsys.readouterr().out
        assert "FCVG's UNet" in printed and "DWPose" not in printed
        assert printed.endswith("models --get --mode inbetween --needed\n")

    def test_what_is_damaged(self, comfyui: Path, capsys) -> None:
        put(comfyui / "models", "controlnext/fcvg_controlnext.safetensors")
        assert main(["models", "--mode", "inbetween"]) == 0
        printed = capsys.readouterr().out
        assert "DAMAGED" in printed and "models --get --mode inbetween" in printed

    def test_nowhere_to_look(self, monkeypatch, tmp_path: Path, capsys) -> None:
        monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
        monkeypatch.delenv("FCVG_MODELS", raising=False)
        assert main(["models"]) == 0
        assert "let FCVG_MODELS name a folder" in capsys.readouterr().out
