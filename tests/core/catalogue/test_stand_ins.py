"""Stand-ins are recognised, and are called what they are."""

import json

import torch
from dynamicrafter_stand_ins import write_dynamicrafter
from weight_cases import save

from fcvg_core.catalogue.finding import WARNING
from fcvg_core.catalogue.model_checks import check_models
from fcvg_core.catalogue.stand_ins import is_stand_in
from fcvg_core.catalogue.svd import SVD_PARTS
from fcvg_core.standalone.cli.main import main


def test_marked(stand_ins, tmp_path) -> None:
    assert is_stand_in(stand_ins / "controlnext.safetensors")
    assert is_stand_in(stand_ins / "svd" / "model_index.json", SVD_PARTS)
    assert not is_stand_in(stand_ins / "svd" / "model_index.json")
    (tmp_path / "text.safetensors").write_text("no model")
    assert not is_stand_in(tmp_path / "text.safetensors")
    assert not is_stand_in(tmp_path / "missing.safetensors")


def test_a_marked_checkpoint(tmp_path) -> None:
    path = write_dynamicrafter(tmp_path)
    assert is_stand_in(path)
    content = torch.load(path, weights_only=True)
    assert not is_stand_in(save(tmp_path / "unmarked.ckpt", content))
    for name, content in (("cut.ckpt", path.read_bytes()[:5000]), ("text.ckpt", b"PK no model")):
        (tmp_path / name).write_bytes(content)
        assert not is_stand_in(tmp_path / name)
    assert not is_stand_in(tmp_path / "missing.ckpt")


def test_models_and_doctor_say_so(stand_ins, monkeypatch, capsys) -> None:
    monkeypatch.setenv("FCVG_MODELS", str(stand_ins))
    assert main(["models", "--mode", "inbetween", "--needed"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("  STAND-IN ") == printed.count("its frames are noise") == 3
    assert "found  " not in printed
    assert main(["models", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["key"] for row in rows if row["stand_in"]} == {
        "svd",
        "fcvg-unet",
        "fcvg-controlnext",
    }
    found = check_models("inbetween", [("folder", stand_ins)])
    assert found.level == WARNING
    assert "SVD-XT-1.1, folder in diffusers' layout; FCVG's UNet; FCVG's" in found.text
