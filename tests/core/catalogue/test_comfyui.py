"""Which ComfyUI is found, and where its models are looked for."""

from pathlib import Path

import pytest
from catalogue_files import put

from fcvg_core.catalogue import comfyui as comfyui_module
from fcvg_core.catalogue.comfyui import comfyui_version, find_comfyui, model_roots
from fcvg_core.catalogue.families import list_files
from fcvg_core.catalogue.fcvg import FCVG_UNET


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
        found = {file.name: file.find(roots) for file in list_files()}
        assert {name: path for name, path in found.items() if path} == paths

    def test_sub_folders(self, comfyui: Path) -> None:
        """ComfyUI's lists show what lies in them."""
        for name in ("unet/old", "diffusion_models/svd"):
            path = put(comfyui / "models", f"{name}/fcvg_unet.safetensors")
            assert FCVG_UNET.find(model_roots(comfyui)) == path

    def test_linked_folders(self, comfyui: Path, tmp_path: Path) -> None:
        """So are large models shared by several programs."""
        put(tmp_path / "other disk", "deep/fcvg_unet.safetensors")
        (comfyui / "models" / "diffusion_models").mkdir()
        link = comfyui / "models" / "diffusion_models" / "linked"
        link.symlink_to(tmp_path / "other disk")
        found = FCVG_UNET.find(model_roots(comfyui))
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

    def test_none(self, monkeypatch, tmp_path: Path) -> None:
        monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
        assert find_comfyui() is None
