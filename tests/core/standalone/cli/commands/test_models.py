"""The command `models`: what it prints about found, missing and damaged files."""

import io
import json
from pathlib import Path

import pytest
from catalogue_files import put

from fcvg_core.catalogue.families import list_files
from fcvg_core.standalone.cli.commands import models
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


def test_comfyui_s_own_folder_in_fcvg_models(tmp_path: Path, monkeypatch, capsys) -> None:
    """It is laid out as ComfyUI lays it out, whatever the variable is called."""
    for kind in ("checkpoints", "clip_vision"):
        (tmp_path / kind).mkdir()
    monkeypatch.setenv("FCVG_MODELS", str(tmp_path))
    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    unet = put(tmp_path, "unet/svd/fcvg_unet.safetensors")
    controlnext = put(tmp_path, "controlnext.safetensors")
    assert main(["models", "--mode", "inbetween"]) == 0
    printed = capsys.readouterr().out
    assert str(unet) in printed and str(controlnext) in printed
    assert printed.count(f"  {tmp_path}\n") == 1
    assert main(["doctor"]) == 0
    assert f"FCVG_MODELS is {tmp_path}, a folder of ComfyUI's models" in capsys.readouterr().out


class Typed(io.StringIO):
    """A terminal at which something was typed."""

    def isatty(self) -> bool:
        return True


class TestQuestion:
    """Before files for non-commercial use are downloaded."""

    @pytest.fixture
    def fetched(self, comfyui: Path, monkeypatch) -> list[str]:
        """Names of the files that are fetched."""
        names: list[str] = []
        monkeypatch.setattr(models, "fetch", lambda download, target: names.append(target.name))
        return names

    def get(self, monkeypatch, capsys, stdin: io.StringIO | None, *options: str) -> str:
        monkeypatch.setattr("sys.stdin", stdin)
        assert main(["models", "--get", "--mode", "inbetween", *options]) == 0
        return capsys.readouterr().out

    @pytest.mark.parametrize(
        ("typed", "comes"),
        [("y\n", True), ("Yes\n", True), ("n\n", False), ("\n", False), ("", False)],
    )
    def test_answers(self, fetched, monkeypatch, capsys, typed: str, comes: bool) -> None:
        printed = self.get(monkeypatch, capsys, Typed(typed))
        assert printed.count("[y/N]") == 1
        assert "superpoint_v1.pth: non-commercial research only. Download it?" in printed
        assert ("superpoint_v1.pth" in fetched) is comes
        assert ("SuperPoint, superpoint_v1.pth is left out" in printed) is not comes
        assert "yolox_l.onnx" in fetched

    @pytest.mark.parametrize("stdin", [io.StringIO("y\n"), None])
    def test_nobody_can_answer(self, fetched, monkeypatch, capsys, stdin) -> None:
        printed = self.get(monkeypatch, capsys, stdin)
        assert "[y/N]" not in printed and "--yes downloads it" in printed
        assert "superpoint_v1.pth" not in fetched and "checkpoint_GlueStick_MD.tar" in fetched

    def test_answered_before(self, fetched, monkeypatch, capsys) -> None:
        assert "[y/N]" not in self.get(monkeypatch, capsys, Typed(""), "--yes")
        assert "superpoint_v1.pth" in fetched

    @pytest.mark.parametrize("options", [[], ["--json"], ["--convert", "a.pth"]])
    def test_an_answer_without_a_question(self, capsys, options: list[str]) -> None:
        assert main(["models", "--yes", *options]) == 2
        assert "--yes" in capsys.readouterr().err


class TestDynamiCrafter:
    """One of four large files is enough, and each brings the small tokenizer."""

    KEYS = ("dynamicrafter-512", "dynamicrafter-1024", "dynamicrafter-256")
    TOKENIZER = ("vocab.json", "merges.txt")

    @pytest.fixture
    def fetched(self, comfyui: Path, monkeypatch) -> list[str]:
        """Names of the files that are fetched."""
        names: list[str] = []
        monkeypatch.setattr(models, "fetch", lambda download, target: names.append(target.name))
        monkeypatch.setattr(models, "check_space", lambda steps: None)
        return names

    def test_the_last_line_downloads_a_model(self, comfyui: Path, capsys) -> None:
        assert main(["models", "--mode", "dynamicrafter"]) == 0
        printed = capsys.readouterr().out
        assert printed.endswith(": python -m fcvg_core models --get --only dynamicrafter-512\n")
        assert "taesdv" in printed.partition("To download what is missing")[0]
        assert "begin with dynamicrafter-512\n" in printed
        assert f"MISSING one of these: {', '.join(self.KEYS)}, " in printed
        assert "MISSING for the command line: CLIP's tokenizer" in printed
        assert "models --get --only clip-tokenizer\n" in printed

    def test_a_tokenizer_that_is_missing_alone(self, comfyui: Path, capsys) -> None:
        put(comfyui / "models", "checkpoints/dynamicrafter_512_v1/model.ckpt")
        assert main(["models", "--mode", "dynamicrafter"]) == 0
        assert capsys.readouterr().out.endswith("models --get --mode dynamicrafter\n")

    def test_a_checkpoint_brings_the_tokenizer(self, fetched, comfyui: Path) -> None:
        assert main(["models", "--get", "--yes", "--only", "dynamicrafter_512"]) == 0
        assert fetched == ["model.ckpt", *self.TOKENIZER]
        for name in self.TOKENIZER:
            put(comfyui / "comfy" / "sd1_tokenizer", name).write_text("{}")
        assert main(["models", "--get", "--yes", "--only", "dynamicrafter-512-interp"]) == 0
        assert fetched[3:] == ["model.ckpt"]

    def test_a_checkpoint_that_is_left_out(self, fetched, monkeypatch, capsys) -> None:
        monkeypatch.setattr("sys.stdin", None)
        assert main(["models", "--get", "--only", "dynamicrafter-512"]) == 2
        printed = capsys.readouterr()
        assert "--yes downloads it" in printed.out
        assert "DynamiCrafter 512 (a picture moves, 512 x 320) is left out." in printed.err
        assert "model.ckpt" not in fetched
