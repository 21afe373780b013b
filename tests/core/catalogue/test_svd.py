"""Which file of a part of SVD's folder is taken."""

from pathlib import Path

import pytest

from fcvg_core.catalogue.svd import (
    STEMS,
    SVD,
    SVD_PARTS,
    SVD_UNET,
    USED,
    find_part,
    missing_part,
)


@pytest.mark.parametrize("part", sorted(STEMS))
def test_by_precision(tmp_path: Path, part: str) -> None:
    """Half precision first for both faces; the other .safetensors file before the pickle."""
    (tmp_path / part).mkdir()
    assert find_part(tmp_path, part) is None
    stem = STEMS[part]
    (tmp_path / part / f"{stem}.fp16.safetensors").mkdir()  # no file
    for name in (f"{stem}.bin", f"{stem}.safetensors"):
        path = tmp_path / part / name
        path.touch()
        assert find_part(tmp_path, part) == find_part(tmp_path, part, half=False) == path
    half = tmp_path / part / f"{stem}.fp16.safetensors"
    half.rmdir()
    half.touch()
    assert find_part(tmp_path, part) == half
    assert find_part(tmp_path, part, half=False) == path


def test_a_download_is_whole(tmp_path: Path) -> None:
    """The files that are downloaded are those that are looked for."""
    for name in USED:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    assert all(find_part(tmp_path, part) for part in SVD_PARTS) and SVD.parts == SVD_PARTS


def test_missing_part(tmp_path: Path) -> None:
    assert str(missing_part(tmp_path, "vae")) == (
        f"{tmp_path} holds no vae/diffusion_pytorch_model.safetensors: the download of SVD is "
        "incomplete."
    )


@pytest.mark.parametrize("kind", ["folder", "comfyui"])
def test_a_download_of_svds_unet_joins_its_folder(tmp_path: Path, kind: str) -> None:
    """Beside the config of the UNet, where a run looks for the weights first."""
    places = {path for _, path in SVD.targets(kind, tmp_path)}
    ((download, target),) = SVD_UNET.targets(kind, tmp_path)
    assert target.parent / "config.json" in places and target not in places
    assert download.url.endswith(f"/resolve/main/unet/{target.name}")
    target.parent.mkdir(parents=True)
    target.touch()
    assert find_part(target.parents[1], "unet") == SVD_UNET.find([(kind, tmp_path)]) == target
    assert SVD_UNET.on_request
