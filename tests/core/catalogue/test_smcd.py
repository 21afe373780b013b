"""SMCD's three files and the merged file: found, whole or not."""

from pathlib import Path

import pytest
from catalogue_files import put
from smcd_stand_ins import write_modelscope, write_smcd

from fcvg_core.catalogue.dynamicrafter import MODELSCOPE_CLIP, MODELSCOPE_VAE
from fcvg_core.catalogue.finding import OK, PROBLEM, WARNING
from fcvg_core.catalogue.model_checks import check_models
from fcvg_core.catalogue.model_files import MissingModelsError
from fcvg_core.catalogue.smcd import SMCD, SMCD_TEXT, SMCD_VAE, UNET_FILE, USED, find_smcd
from fcvg_core.models.smcd.rules import FILE_NAMES
from fcvg_core.standalone.cli.commands import models
from fcvg_core.standalone.cli.main import main

WHOLE = b"\x02" + bytes(7) + b"{}"  # a file of weights without tensors
TOKENIZER = ("vocab.json", "merges.txt")


def put_tokenizer(folder: Path) -> None:
    for name in TOKENIZER:
        put(folder, f"clip-vit-large-patch14/{name}").write_text("{}")


def test_the_names_are_those_of_training() -> None:
    assert sorted(USED) == sorted(FILE_NAMES[0]) and [*USED][-1] == UNET_FILE == FILE_NAMES[0][0]
    assert SMCD.size == 8152 and SMCD.non_commercial and SMCD.on_request


@pytest.mark.parametrize("folder", ["smcd", "Animate-Your-Motion"])
def test_names_in_comfyui(tmp_path: Path, folder: str) -> None:
    roots = [("comfyui", tmp_path)]
    merged = put(tmp_path, "diffusion_models/video/smcd_fp16.safetensors")
    assert find_smcd(roots) == merged
    for name in USED:
        path = put(tmp_path, f"diffusion_models/{folder}/{name}")
    assert find_smcd(roots) == path and path.name == UNET_FILE
    assert [x.name for x in SMCD.files_at(path)] == [UNET_FILE, *[*USED][:2]]
    assert SMCD.files_at(merged) == [merged]


@pytest.mark.parametrize("lacking", [name for name in USED if name != UNET_FILE])
def test_a_folder_that_lacks_a_file(tmp_path: Path, lacking: str) -> None:
    """As a download leaves it that was broken off: the missing file is named, and can be got."""
    folder, roots = write_smcd(tmp_path), [("folder", tmp_path)]
    (folder / lacking).unlink()
    with pytest.raises(MissingModelsError) as error:
        find_smcd(roots)
    assert str(error.value).startswith(f"{folder / lacking} is missing, so SMCD is not whole.")
    found = check_models("smcd", roots)
    assert found.level == WARNING and f"smcd: {folder / lacking} is missing." in found.text
    assert found.text.endswith(SMCD.download_command)


def test_none(tmp_path: Path) -> None:
    with pytest.raises(MissingModelsError) as error:
        find_smcd([("folder", tmp_path)])
    assert "with --ckpt, or download it (about 8 GB)" in str(error.value)
    assert f"--only smcd. Searched: {tmp_path}" in str(error.value)
    with pytest.raises(MissingModelsError, match="Searched: no folder"):
        find_smcd([])


def test_what_doctor_says(tmp_path: Path) -> None:
    roots = [("folder", tmp_path)]
    found = check_models("smcd", roots)
    assert found.level == WARNING
    assert f"smcd: missing: {SMCD.name}. To download it: {SMCD.download_command}" == found.text
    put(tmp_path, "smcd.safetensors").write_bytes(WHOLE)
    found = check_models("smcd", roots)
    assert found.level == WARNING and "--only sd21-text-encoder sd-vae" in found.text
    for file in (SMCD_TEXT, SMCD_VAE):
        put(tmp_path, file.folder[0]).write_bytes(WHOLE)
    assert "for the command line CLIP's tokenizer" in check_models("smcd", roots).text
    put_tokenizer(tmp_path)
    assert check_models("smcd", roots).level == OK


def test_stand_ins_and_damage(tmp_path: Path) -> None:
    """All three files are looked at, and those of ModelScope."""
    roots, folder = [("folder", tmp_path)], write_smcd(tmp_path)
    scope = write_modelscope(tmp_path)
    put_tokenizer(tmp_path)
    assert SMCD_TEXT.find(roots) == scope / MODELSCOPE_CLIP
    assert SMCD_VAE.find(roots) == scope / MODELSCOPE_VAE
    found = check_models("smcd", roots)
    assert found.level == WARNING and f"smcd: {SMCD.name}; text encoder" in found.text
    assert "its frames are noise" in found.text
    path = folder / "pytorch_model_2.bin"
    path.write_bytes(path.read_bytes()[:-100])
    found = check_models("smcd", roots)
    assert found.level == PROBLEM and f"smcd: {path} is damaged" in found.text
    assert found.text.endswith(f"Then: {SMCD.download_command}")


def test_get(comfyui: Path, monkeypatch, capsys) -> None:
    fetched: list[Path] = []
    monkeypatch.setattr(models, "fetch", lambda one, target: fetched.append(target))
    monkeypatch.setattr(models, "check_space", lambda steps: None)
    assert main(["models", "--get", "--only", "smcd", "--yes"]) == 0
    folder = comfyui / "models" / "diffusion_models" / "smcd"
    assert [x.name for x in fetched if x.parent == folder] == [*USED]
    assert {x.name for x in fetched} - {*USED} == {
        *TOKENIZER,
        *(file.folder[0] for file in (SMCD_TEXT, SMCD_VAE)),
    }
    assert "CC-BY-NC 4.0" in capsys.readouterr().out
    fetched.clear()
    assert main(["models", "--get", "--yes", "--mode", "smcd"]) == 0
    assert {x.name for x in fetched} == {*TOKENIZER, "taesdv.pth"}
    assert "smcd (8152 MB)" in capsys.readouterr().out


def test_the_list(comfyui: Path, capsys) -> None:
    assert main(["models", "--mode", "smcd"]) == 0
    text = capsys.readouterr().out
    assert "MISSING one of these" not in text and SMCD.download_command in text
    assert "to models/diffusion_models/smcd/pytorch_model.bin" in text
