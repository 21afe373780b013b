"""The command `models`: what it prints about found, missing and damaged files."""

import json
from pathlib import Path

from catalogue_files import put

from fcvg_core.catalogue.families import list_files
from fcvg_core.standalone.cli.main import main


def test_list(comfyui: Path, capsys) -> None:
    path = put(comfyui / "models", "controlnext/fcvg_controlnext.safetensors")
    assert main(["models"]) == 0
    printed = capsys.readouterr().out
    assert str(path) in printed and "MISSING FCVG's UNet" in printed
    assert "models/diffusion_models/fcvg_unet.safetensors" in printed
    assert "non-commercial" in printed and "animate: " in printed
    assert main(["models", "--mode", "animate"]) == 0
    assert "GlueStick" not in capsys.readouterr().out


def test_json(comfyui: Path, capsys) -> None:
    assert main(["models", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == len(list_files()) and not any(row["found"] for row in rows)
    assert len({row["key"] for row in rows}) == len(rows)


def test_needed(comfyui: Path, capsys) -> None:
    assert main(["models", "--mode", "inbetween", "--needed"]) == 0
    printed = capsys.readouterr().out
    assert "FCVG's UNet" in printed and "DWPose" not in printed
    assert printed.endswith("models --get --mode inbetween --needed\n")


def test_what_is_damaged(comfyui: Path, capsys) -> None:
    put(comfyui / "models", "controlnext/fcvg_controlnext.safetensors")
    assert main(["models", "--mode", "inbetween"]) == 0
    printed = capsys.readouterr().out
    assert "DAMAGED" in printed and "models --get --mode inbetween" in printed


def test_nowhere_to_look(monkeypatch, tmp_path: Path, capsys) -> None:
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
    monkeypatch.delenv("FCVG_MODELS", raising=False)
    assert main(["models"]) == 0
    assert "let FCVG_MODELS name a folder" in capsys.readouterr().out
