"""Where models are looked for."""

import shutil
import socket
from pathlib import Path

import pytest
from catalogue_files import put

from fcvg_core.catalogue.comfyui import known_folders
from fcvg_core.catalogue.dynamicrafter import find_checkpoint
from fcvg_core.catalogue.families import list_files
from fcvg_core.catalogue.find import (
    CONTROLNEXT_SVD_SET,
    FCVG_SET,
    SVD_SET,
    find_dwpose,
    find_gluestick,
    find_models,
    find_svd,
)
from fcvg_core.catalogue.model_files import MissingModelsError
from fcvg_core.catalogue.svd import SVD_FOLDER, SVD_UNET
from fcvg_core.errors import UserError


@pytest.fixture(autouse=True)
def no_models(monkeypatch) -> None:
    monkeypatch.delenv("FCVG_MODELS", raising=False)


class TestFindModels:
    def test_in_the_named_folder(self, stand_ins, monkeypatch) -> None:
        monkeypatch.setenv("FCVG_MODELS", str(stand_ins))
        found = find_models(None, None, None, model_set=FCVG_SET, roots=known_folders())
        assert found.svd == stand_ins / "svd"
        assert found.unet == stand_ins / "unet.safetensors"
        assert found.controlnext == stand_ins / "controlnext.safetensors"

    @pytest.mark.parametrize("kept", ["unet.bin", "unet_fp16.bin", "unet.safetensors"])
    def test_names_of_controlnext_svd(self, stand_ins, tmp_path, monkeypatch, kept) -> None:
        """As its authors call them, in a folder of their own."""
        shutil.copytree(stand_ins / "svd", tmp_path / "svd")
        own = tmp_path / "controlnext-svd"
        own.mkdir()
        for name in (kept, "controlnet.bin"):
            (own / name).touch()
        monkeypatch.setenv("FCVG_MODELS", str(tmp_path))
        found = find_models(None, None, None, model_set=CONTROLNEXT_SVD_SET, roots=known_folders())
        assert (found.unet, found.controlnext) == (own / kept, own / "controlnet.bin")
        with pytest.raises(ValueError, match="Models of FCVG are missing: .*--unet, --controlnext"):
            find_models(None, None, None, model_set=FCVG_SET, roots=known_folders())

    def test_options_win(self, stand_ins, tmp_path, monkeypatch) -> None:
        monkeypatch.setenv("FCVG_MODELS", str(stand_ins))
        other = shutil.copy(stand_ins / "controlnext.safetensors", tmp_path / "mine.safetensors")
        found = find_models(None, None, Path(other), model_set=FCVG_SET, roots=known_folders())
        assert found.controlnext == tmp_path / "mine.safetensors"
        assert found.unet == stand_ins / "unet.safetensors"

    def test_nothing(self, stand_ins) -> None:
        with pytest.raises(MissingModelsError, match="--model, --controlnext, .*FCVG_MODELS"):
            find_models(
                None,
                stand_ins / "unet.safetensors",
                None,
                model_set=FCVG_SET,
                roots=known_folders(),
            )

    def test_svd_alone(self, stand_ins, tmp_path, monkeypatch) -> None:
        """The UNet in SVD's folder does, and nothing is looked for that would steer it."""
        monkeypatch.setenv("FCVG_MODELS", str(stand_ins))
        found = find_models(None, None, Path("/no"), model_set=SVD_SET, roots=known_folders())
        assert (found.svd, found.unet, found.controlnext) == (stand_ins / "svd", None, None)
        assert found.named == {"model": stand_ins / "svd"}
        named = stand_ins / "unet.safetensors"
        found = find_models(None, named, None, model_set=SVD_SET, roots=known_folders())
        assert found.named == {"model": stand_ins / "svd", "unet": named}

    def test_svds_unet_beside_its_folder(self, stand_ins, tmp_path, monkeypatch) -> None:
        """A download puts it where the catalogue says, and SVD's folder may be elsewhere."""
        shutil.copytree(stand_ins / "svd", tmp_path / "mine")
        weights = tmp_path / "mine" / "unet" / "diffusion_pytorch_model.safetensors"
        place = tmp_path / SVD_UNET.folder[0]
        place.parent.mkdir(parents=True)
        weights.rename(place)
        monkeypatch.setenv("FCVG_MODELS", str(tmp_path))
        found = find_models(None, None, None, model_set=SVD_SET, roots=known_folders())
        assert found.named == {"model": tmp_path / "mine", "unet": place}
        place.unlink()
        with pytest.raises(
            MissingModelsError, match="of SVD are missing: .*--unet, .*--get --only svd-unet "
        ):
            find_models(None, None, None, model_set=SVD_SET, roots=known_folders())
        shutil.rmtree(tmp_path / "mine")
        with pytest.raises(MissingModelsError, match="--model, --unet, .*--only svd svd-unet "):
            find_models(None, None, None, model_set=SVD_SET, roots=known_folders())

    def test_missing_file(self, stand_ins, tmp_path) -> None:
        with pytest.raises(ValueError, match=r"There is no file .*gone\.safetensors"):
            find_models(
                stand_ins / "svd",
                tmp_path / "gone.safetensors",
                stand_ins / "controlnext.safetensors",
                model_set=FCVG_SET,
                roots=known_folders(),
            )

    @pytest.mark.parametrize(
        "name", ["no/such/folder", "/no/such", "folder", f"stabilityai/{SVD_FOLDER}"]
    )
    def test_no_folder(self, stand_ins, monkeypatch, name) -> None:
        """A name on huggingface.co is none either: nobody is asked there."""
        monkeypatch.setenv("FCVG_MODELS", str(stand_ins))
        monkeypatch.setattr(socket.socket, "connect", None)
        with pytest.raises(UserError, match=f"{name} is no folder.*downloads nothing.*--get does"):
            find_models(Path(name), None, None, model_set=FCVG_SET, roots=known_folders())

    def test_a_file_for_a_folder(self, stand_ins, monkeypatch) -> None:
        monkeypatch.setenv("FCVG_MODELS", str(stand_ins))
        with pytest.raises(ValueError, match="is no folder"):
            find_models(
                stand_ins / "unet.safetensors",
                None,
                None,
                model_set=FCVG_SET,
                roots=known_folders(),
            )


def test_find_svd(stand_ins) -> None:
    for folder in (stand_ins, stand_ins / "svd"):
        assert find_svd([("folder", folder)]) == stand_ins / "svd"
    for folder in (stand_ins / "svd" / "unet", stand_ins / "gone"):
        assert find_svd([("folder", folder)]) is None
    assert find_svd([]) is None


def test_find_svd_passes_over_other_models(stand_ins, tmp_path) -> None:
    """Another model's folder in diffusers' layout, and SVD's without weights."""
    for name in ("a-sdxl", "z-svd"):
        shutil.copytree(stand_ins / "svd", tmp_path / name)
    (tmp_path / "a-sdxl" / "model_index.json").write_text('{"_class_name": "StableDiffusionXL"}')
    assert find_svd([("folder", tmp_path)]) == tmp_path / "z-svd"
    shutil.rmtree(tmp_path / "z-svd" / "vae")
    assert find_svd([("folder", tmp_path)]) is None


def test_in_a_comfyui(stand_ins, tmp_path, monkeypatch) -> None:
    """What `models` finds in ComfyUI's folders, a run finds too."""
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
    (tmp_path / "comfyui_version.py").touch()
    for name, place in (
        ("svd", "diffusers/stable-video-diffusion-img2vid-xt-1-1"),
        ("unet.safetensors", "diffusion_models/fcvg_unet.safetensors"),
        ("controlnext.safetensors", "controlnext/fcvg_controlnext.safetensors"),
    ):
        target = tmp_path / "models" / place
        target.parent.mkdir(parents=True)
        target.symlink_to(stand_ins / name)
    found = find_models(None, None, None, model_set=FCVG_SET, roots=known_folders())
    assert found.unet == tmp_path / "models" / "diffusion_models" / "fcvg_unet.safetensors"


def test_a_run_finds_what_the_catalogue_lists(tmp_path: Path, monkeypatch) -> None:
    """A file in its first place is found by `models` and by a run."""
    for file in list_files():
        put(tmp_path, file.folder[0])
    monkeypatch.setenv("FCVG_MODELS", str(tmp_path))
    roots = known_folders()
    assert roots == [("folder", tmp_path)]
    for model_set in (FCVG_SET, CONTROLNEXT_SVD_SET):
        found = find_models(tmp_path, None, None, model_set=model_set, roots=roots)
        assert found.unet == model_set.unet.find(roots)
        assert found.controlnext == model_set.controlnext.find(roots)
    assert None not in find_gluestick(None, None, roots)
    assert find_dwpose(None, None, roots)
    for interpolates in (False, True):
        assert find_checkpoint("auto", interpolates=interpolates, roots=roots)
