"""Checks of ComfyUI, of the folder of FCVG_MODELS and of the model files."""

import shutil
from pathlib import Path

import pytest

from fcvg_core.catalogue.finding import OK, PROBLEM, WARNING
from fcvg_core.catalogue.model_checks import check_comfyui, check_models, check_named_folder


@pytest.mark.parametrize(
    ("version", "level"), [("0.3.63", PROBLEM), ("0.3.64", OK), ("0.8.0", OK), ("", PROBLEM)]
)
def test_comfyui(tmp_path: Path, version: str, level: str) -> None:
    (tmp_path / "comfyui_version.py").write_text(f'__version__ = "{version}"\n')
    found = check_comfyui(tmp_path)
    assert found.level == level and str(tmp_path) in found.text
    assert check_comfyui(None).level == OK
    found = check_comfyui(None, "/somewhere")
    assert found.level == WARNING and "COMFYUI_PATH is /somewhere, which is no" in found.text


def test_comfyui_without_its_code(tmp_path: Path) -> None:
    (tmp_path / "comfy").mkdir()  # a folder of that name alone is none
    found = check_comfyui(tmp_path)
    assert found.level == OK and "its code is elsewhere" in found.text
    (tmp_path / "main.py").touch()  # of before 0.3.11
    assert check_comfyui(tmp_path).level == PROBLEM


def test_the_folder_of_fcvg_models(tmp_path: Path) -> None:
    found = check_named_folder(str(tmp_path / "a"))
    assert found.level == WARNING and "no such folder yet" in found.text
    found = check_named_folder(str(tmp_path))
    assert found.level == OK and "ComfyUI does not look" in found.text
    for kind in ("checkpoints", "clip_vision"):
        (tmp_path / "models" / kind).mkdir(parents=True)
    found = check_named_folder(str(tmp_path))
    assert found.level == WARNING and f"set it to {tmp_path / 'models'}, or unset" in found.text
    found = check_named_folder(str(tmp_path / "models"))
    assert found.level == OK and "a folder of ComfyUI's models" in found.text


def test_models(stand_ins: Path, tmp_path: Path) -> None:
    assert check_models("inbetween", [("folder", stand_ins)]).level != PROBLEM
    found = check_models("inbetween", [("folder", tmp_path)])
    assert found.level == WARNING and "FCVG's UNet; FCVG's ControlNeXt" in found.text
    assert "models --get --mode inbetween. SVD alone paints too" in found.text
    assert "models --get --only svd svd-unet" in found.text
    assert "alone" not in check_models("animate", [("folder", tmp_path)]).text


def test_a_half_file(stand_ins: Path, tmp_path: Path) -> None:
    """As a browser or a full disk leaves it."""
    shutil.copytree(stand_ins, tmp_path / "m")
    whole = (tmp_path / "m" / "unet.safetensors").read_bytes()
    (tmp_path / "m" / "unet.safetensors").write_bytes(whole[:-1])
    found = check_models("inbetween", [("folder", tmp_path / "m")])
    assert (
        found.level == PROBLEM and "unet.safetensors is damaged, incomplete or empty" in found.text
    )


def test_a_folder_of_svd_without_weights(stand_ins: Path, tmp_path: Path) -> None:
    """As git leaves it without LFS: a text of a few lines in the place of each file."""
    shutil.copytree(stand_ins, tmp_path / "m")
    (weights,) = (tmp_path / "m" / "svd" / "vae").glob("*.safetensors")
    weights.write_text("version https://git-lfs.github.com/spec/v1\n")
    found = check_models("inbetween", [("folder", tmp_path / "m")])
    assert found.level == PROBLEM and f"{weights} is damaged" in found.text
    weights.unlink()
    found = check_models("inbetween", [("folder", tmp_path / "m")])
    assert found.level == WARNING and "missing: SVD-XT-1.1" in found.text
