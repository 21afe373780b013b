"""The checkpoints of DynamiCrafter: found under the names that people give them."""

from pathlib import Path

import pytest
from catalogue_files import put
from dynamicrafter_stand_ins import write_dynamicrafter

from fcvg_core.canvas import in_words
from fcvg_core.catalogue.dynamicrafter import (
    BY_VARIANT,
    CLIP_TOKENIZER,
    DYNAMICRAFTER,
    IMAGE_ENCODER,
    find_checkpoint,
)
from fcvg_core.catalogue.finding import OK, PROBLEM, WARNING
from fcvg_core.catalogue.model_checks import check_models
from fcvg_core.catalogue.model_files import MissingModelsError
from fcvg_core.models.dynamicrafter.variants import VARIANTS


def test_one_checkpoint_for_each_published_model() -> None:
    assert BY_VARIANT.keys() == VARIANTS.keys()
    assert len({file.downloads[0].url for file in DYNAMICRAFTER.alternatives}) == 4
    for word, file in BY_VARIANT.items():
        assert file.key == f"dynamicrafter-{word.replace('_', '-')}"
        assert in_words(VARIANTS[word].size) in file.name


@pytest.mark.parametrize(
    "name",
    [
        "checkpoints/dynamicrafter_512_interp_v1/model.ckpt",
        "checkpoints/video/dynamicrafter_512_interp_v1.ckpt",
        "checkpoints/dynamicrafter/dynamicrafter_512_interp_v1_bf16.safetensors",
        "checkpoints/dynamicrafter/dynamicrafter_512_interp_fp16_pruned.safetensors",
    ],
)
def test_names_in_comfyui(tmp_path: Path, name: str) -> None:
    path, roots = put(tmp_path, name), [("comfyui", tmp_path)]
    assert find_checkpoint("auto", interpolates=True, roots=roots) == path
    assert find_checkpoint("512_interp", interpolates=False, roots=roots) == path
    with pytest.raises(MissingModelsError, match="DynamiCrafter 512 .* or DynamiCrafter 1024"):
        find_checkpoint("auto", interpolates=False, roots=roots)


def test_which_of_several(tmp_path: Path) -> None:
    roots = [("folder", tmp_path)]
    for found in ("256", "1024", "512", "512_interp"):
        path = put(tmp_path, BY_VARIANT[found].folder[0])
        interpolates = VARIANTS[found].interpolates
        assert find_checkpoint("auto", interpolates=interpolates, roots=roots) == path
        assert find_checkpoint(found, interpolates=interpolates, roots=roots) == path


def test_none(tmp_path: Path) -> None:
    for word, file in BY_VARIANT.items():
        with pytest.raises(MissingModelsError) as error:
            find_checkpoint(word, interpolates=False, roots=[("folder", tmp_path / "models")])
        assert file.name in str(error.value) and str(tmp_path / "models") in str(error.value)
        assert f"models --get --only {file.key}." in str(error.value)
    with pytest.raises(MissingModelsError, match=r"dynamicrafter-512-interp\. Searched: no folder"):
        find_checkpoint("auto", interpolates=True, roots=[])


def test_what_doctor_says(tmp_path: Path) -> None:
    roots = [("folder", tmp_path)]
    found = check_models("dynamicrafter", roots)
    assert found.level == WARNING and "missing: one of dynamicrafter-512," in found.text
    assert found.text.endswith("Begin with the first: " + BY_VARIANT["512"].download_command)
    path = write_dynamicrafter(tmp_path)
    found = check_models("dynamicrafter", roots)
    assert found.level == WARNING and "DynamiCrafter 512 (" in found.text
    assert "its frames are noise" in found.text
    path.write_bytes(path.read_bytes()[:-1000])
    found = check_models("dynamicrafter", roots)
    assert found.level == PROBLEM and f"{path} is damaged, incomplete or empty" in found.text
    assert found.text.endswith(f"move it away. Then: {BY_VARIANT['512'].download_command}")
    path.unlink()
    put(tmp_path, "dynamicrafter_1024_v1/model.ckpt").write_bytes(b"")
    assert check_models("dynamicrafter", roots).level == PROBLEM


def test_the_tokenizer_is_a_folder(tmp_path: Path) -> None:
    steps = CLIP_TOKENIZER.targets("folder", tmp_path)
    folder = tmp_path / "clip-vit-large-patch14"
    assert [target for _, target in steps] == [folder / "vocab.json", folder / "merges.txt"]
    put(folder, "merges.txt")
    assert CLIP_TOKENIZER.find([("folder", tmp_path)]) is None  # a download that was broken off
    put(folder, "vocab.json")
    assert CLIP_TOKENIZER.find([("folder", tmp_path)]) == folder / "merges.txt"


def test_doctor_says_what_the_command_line_needs(comfyui: Path) -> None:
    models = comfyui / "models"
    roots = [("comfyui", models)]
    put(models, "checkpoints/dynamicrafter_512_v1/model.safetensors").write_bytes(
        b"\x02" + bytes(7) + b"{}"
    )
    found = check_models("dynamicrafter", roots)
    assert found.level == WARNING and "for the command line CLIP's tokenizer" in found.text
    for name in ("vocab.json", "merges.txt"):
        put(comfyui, f"comfy/sd1_tokenizer/{name}").write_text("{}")
    assert check_models("dynamicrafter", roots).level == OK


def test_parts_for_pruned_checkpoints_are_not_needed(tmp_path: Path) -> None:
    put(tmp_path, "dynamicrafter_512_v1_bf16.safetensors").write_bytes(b"\x02" + bytes(7) + b"{}")
    for name in ("vocab.json", "merges.txt"):
        put(tmp_path, f"clip-vit-large-patch14/{name}").write_text("{}")
    assert check_models("dynamicrafter", [("folder", tmp_path)]).level == OK
    assert IMAGE_ENCODER.on_request and not CLIP_TOKENIZER.on_request
