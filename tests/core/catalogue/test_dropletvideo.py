"""DropletVideo's folder and its networks in files of their own: found, whole or not."""

import json
from pathlib import Path

import pytest
from catalogue_files import put
from dropletvideo_stand_ins import FOLDER, SINGLE_FILES, write_droplet

from fcvg_core.catalogue.dropletvideo import (
    DROPLET,
    DROPLET_TRANSFORMER,
    DROPLET_VAE,
    PARTS,
    T5_TOKENIZER,
    T5_XXL,
    find_droplet,
)
from fcvg_core.catalogue.finding import OK, PROBLEM, WARNING
from fcvg_core.catalogue.model_checks import check_models
from fcvg_core.catalogue.model_files import MODEL_INDEX, MissingModelsError, lacking_weights
from fcvg_core.standalone.cli.commands import models
from fcvg_core.standalone.cli.main import main

WHOLE = b"\x02" + bytes(7) + b"{}"  # a file of weights without tensors


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """The stand-ins of the folder."""
    return write_droplet(tmp_path)


def test_the_stand_ins_have_the_folder_s_files(whole: Path) -> None:
    """So a download brings all that the folder needs, and the index comes last."""
    written = {str(x.relative_to(whole).as_posix()) for x in whole.rglob("*") if x.is_file()}
    assert written - {x.name for x in DROPLET.downloads} == {"configuration.json"}
    assert DROPLET.downloads[-1].name == MODEL_INDEX and whole.name == FOLDER
    steps = DROPLET.targets("comfyui", whole)
    assert all(whole / "diffusers" / FOLDER in target.parents for _, target in steps)


def test_the_folder_comes_first(whole: Path, tmp_path: Path) -> None:
    roots = [("folder", tmp_path)]
    single = put(tmp_path, "dropletvideo_5b_bf16.safetensors")
    assert find_droplet(roots) == whole
    (whole / MODEL_INDEX).unlink()
    assert find_droplet(roots) == single


def test_the_single_files_of_comfyui(tmp_path: Path) -> None:
    roots = [("comfyui", tmp_path)]
    rows = (DROPLET_TRANSFORMER, DROPLET_VAE, T5_XXL)
    for layout in SINGLE_FILES:
        write_droplet(tmp_path / layout, layout=layout)
        for row, name in zip(rows, SINGLE_FILES[layout].values(), strict=True):
            assert row.find([("comfyui", tmp_path / layout)]) == tmp_path / layout / name
    put(tmp_path.parent, "comfy/text_encoders/t5_tokenizer/tokenizer.json")
    assert T5_TOKENIZER.find(roots).name == "tokenizer.json"


@pytest.mark.parametrize("lacking", ("vae", "text_encoder/model-00002-of-00002.safetensors"))
def test_a_folder_that_is_not_whole(whole: Path, tmp_path: Path, lacking: str) -> None:
    """As a download leaves it that was broken off: what is missing is said, and can be got."""
    path = whole / lacking
    for file in [path] if path.is_file() else path.iterdir():
        file.unlink()
    roots = [("folder", tmp_path)]
    with pytest.raises(MissingModelsError) as error:
        find_droplet(roots)
    assert str(error.value).startswith(f"{path} is missing, so DropletVideo is not whole.")
    found = check_models("droplet", roots)
    assert found.level == WARNING and f"droplet: {path} is missing." in found.text
    assert found.text.endswith(DROPLET.download_command)
    todo = [target for _, target in DROPLET.targets("folder", tmp_path) if not target.exists()]
    assert path in todo or set(todo) == {x for x in todo if x.parent == path}


def test_weights_in_several_files(tmp_path: Path) -> None:
    part, index = tmp_path / "part", tmp_path / "part" / "model.safetensors.index.json"
    assert lacking_weights(part) == part
    names = [f"model-0000{at}-of-00002.safetensors" for at in (1, 2)]
    put(part, names[0])
    index.write_text(json.dumps({"weight_map": {"a": names[0], "b": names[1]}}))
    assert lacking_weights(part) == part / names[1]
    put(part, "model.fp16.safetensors")  # holds all weights by itself
    assert lacking_weights(part) is None
    (part / "model.fp16.safetensors").unlink()
    put(part, names[1])
    assert lacking_weights(part) is None
    for text in ("{", "[]", '{"weight_map": 1}', "{}"):
        index.write_text(text)
        assert lacking_weights(part) == index


def test_none(tmp_path: Path) -> None:
    with pytest.raises(MissingModelsError) as error:
        find_droplet([("folder", tmp_path)])
    assert "with --ckpt, or download it (about 33 GB)" in str(error.value)
    assert "--only dropletvideo. Searched: " in str(error.value) and str(tmp_path) in str(
        error.value
    )
    # A folder with the same name that holds another pipeline.
    put(tmp_path, f"{FOLDER}/{MODEL_INDEX}")
    with pytest.raises(MissingModelsError, match="is missing. Name the folder"):
        find_droplet([("folder", tmp_path)])


def test_what_doctor_says(tmp_path: Path) -> None:
    roots = [("folder", tmp_path)]
    found = check_models("droplet", roots)
    assert "missing: one of dropletvideo, dropletvideo-transformer." in found.text
    put(tmp_path, "dropletvideo_5b.safetensors").write_bytes(WHOLE)
    found = check_models("droplet", roots)
    assert found.level == WARNING and "VAE of DropletVideo in its own file; T5" in found.text
    assert found.text.endswith("models --get --only dropletvideo-vae t5xxl")
    for name in ("dropletvideo_vae.safetensors", "t5xxl_fp16.safetensors"):
        put(tmp_path, name).write_bytes(WHOLE)
    assert check_models("droplet", roots).level == OK
    folder = write_droplet(tmp_path)
    found = check_models("droplet", roots)
    assert found.level == WARNING and "DropletVideo-5B, folder" in found.text
    assert "its frames are noise" in found.text
    shard = folder / PARTS[2] / "model-00002-of-00002.safetensors"
    shard.write_bytes(shard.read_bytes()[:-1])
    found = check_models("droplet", roots)
    assert found.level == PROBLEM and f"{shard} is damaged" in found.text


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (["dropletvideo"], [file.name.rpartition("/")[2] for file in DROPLET.downloads]),
        (
            ["dropletvideo-transformer", "t5xxl"],
            ["dropletvideo_5b", "t5xxl_fp16", "dropletvideo_vae", "spiece.model"],
        ),
    ],
)
def test_get(comfyui: Path, monkeypatch, capsys, keys: list[str], names: list[str]) -> None:
    fetched: list[str] = []
    monkeypatch.setattr(models, "fetch", lambda one, target: fetched.append(target.name))
    monkeypatch.setattr(models, "check_space", lambda steps: None)
    assert main(["models", "--get", "--only", *keys]) == 0  # no question: no file forbids trade
    assert sorted(x.removesuffix(".safetensors") for x in fetched) == sorted(
        x.removesuffix(".safetensors") for x in names
    )
    assert "Apache-2.0" in capsys.readouterr().out
    assert main(["models", "--get", "--yes", "--mode", "droplet"]) == 0
    assert "dropletvideo (32678 MB)" in capsys.readouterr().out
