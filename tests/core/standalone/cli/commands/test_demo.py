"""The demo command."""

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import pictures
from PIL import Image

from fcvg_core.standalone.cli.commands import demo
from fcvg_core.standalone.cli.main import main
from fcvg_core.standalone.spec import PreviewSpec


@pytest.fixture(autouse=True)
def small(monkeypatch) -> None:
    """The sample frames and both results are small."""
    size = ("--height", "64", "--width", "128", "--frames", "3")
    monkeypatch.setattr(demo, "SIZE", (96, 160))
    monkeypatch.setattr(demo, "PREVIEWED", (*demo.PREVIEWED, *size))
    monkeypatch.setattr(demo, "PAINTED", (*size, "--steps", "1"))
    monkeypatch.setattr(demo, "CLIP_PAINTED", (*demo.CLIP_PAINTED, "--steps", "1"))


@pytest.fixture
def packed(monkeypatch, tmp_path) -> None:
    """The pack as it is published, without the tests."""
    monkeypatch.setattr(demo, "TWO_CLIPS", tmp_path / "tests" / "two_clips")


def test_in_a_checkout(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.delenv("FCVG_MODELS", raising=False)
    assert main(["demo", str(tmp_path)]) == 0
    result = tmp_path / "two_clips"
    assert pictures(result / "frames").shape == (5, 128, 128, 3)
    assert np.array(Image.open(result / "strip.png")).std() > 30
    printed = capsys.readouterr().out
    assert str(result / "result.mp4") in printed
    assert "knows two drawn clips and nothing else" in printed


@pytest.mark.usefixtures("packed")
def test_without_weights(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.delenv("FCVG_MODELS", raising=False)
    for name in ("result", "result_0001"):
        assert main(["demo", str(tmp_path)]) == 0
        result = tmp_path / name
        printed = capsys.readouterr().out
        assert all(str(result / made) in printed for made in ("preview.mp4", "strip.png"))
        assert printed.splitlines()[-1].endswith("models --get --mode inbetween")
        assert pictures(result / "frames").shape == pictures(result / "condition").shape
        assert np.array(Image.open(result / "strip.png")).std() > 30
    assert sorted(x.name for x in tmp_path.iterdir()) == ["frames", "result", "result_0001"]
    assert pictures(tmp_path / "frames").shape == (2, 96, 160, 3)
    run = json.loads((result / "run.json").read_text())
    spec = PreviewSpec.from_json(run["options"])
    assert spec.first == tmp_path / "frames" / "first.png" and run["command"] == "preview"
    assert main(["preview", "--run", str(result / "run.json")]) == 0


def test_with_weights(models, tmp_path, capsys) -> None:
    assert main(["demo", str(tmp_path)]) == 0
    assert (tmp_path / "result" / "result.mp4").exists()
    assert "strip" not in capsys.readouterr().out


@pytest.mark.usefixtures("packed")
def test_folder_without_a_name(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("FCVG_MODELS", raising=False)
    monkeypatch.chdir(tmp_path)
    assert main(["demo"]) == 0
    assert (tmp_path / "demo" / "result" / "strip.png").exists()
    assert main(["demo", "--", "-x"]) == 0
    assert (tmp_path / "-x" / "result" / "strip.png").exists()


def test_models_that_are_not_there(tmp_path, monkeypatch, capsys) -> None:
    (tmp_path / "models").mkdir()
    monkeypatch.setenv("FCVG_MODELS", str(tmp_path / "models"))
    assert main(["demo", str(tmp_path / "demo")]) == 2
    assert "A preview of the motion needs no models" in capsys.readouterr().err


def test_another_picture_is_kept(tmp_path, capsys) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    Image.new("RGB", (9, 9)).save(folder / "first.png")
    before = Path(folder / "first.png").read_bytes()
    assert main(["demo", str(tmp_path)]) == 2
    assert "name another folder" in capsys.readouterr().err
    assert [path.read_bytes() for path in folder.iterdir()] == [before]
