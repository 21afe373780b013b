"""smcd-merge: three files become one with the same values, and wrong files are refused."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from smcd_stand_ins import smcd_weights, write_pickle, write_smcd

from fcvg_core.catalogue.stand_ins import is_stand_in
from fcvg_core.models.smcd import VisualEncoder, VisualEncoderConfig
from fcvg_core.models.smcd.rules import FILE_NAMES, NETWORKS, UNET, split_merged
from fcvg_core.standalone.cli.main import main

UNET_FILE, POSITION_FILE, VISUAL_FILE = FILE_NAMES[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_smcd(tmp_path)


def merge(*arguments: object) -> int:
    return main(["smcd-merge", *map(str, arguments)])


def test_the_three_files_become_one(folder: Path, tmp_path: Path, capsys) -> None:
    target = tmp_path / "smcd.safetensors"
    assert merge(folder, "-o", target) == 0
    merged, parts = load_file(target), split_merged(load_file(target))
    for network, weights in smcd_weights().items():
        assert parts[network].keys() == weights.keys()
        # The values of stand-ins are exact in half precision.
        assert all(
            torch.equal(merged[parts[network][key]].float(), x) for key, x in weights.items()
        )
    assert {x.dtype for x in merged.values()} == {torch.float16} and is_stand_in(target)
    written = capsys.readouterr().out
    assert f"{len(merged)} tensors" in written and "models/diffusion_models" in written
    # The merged file, and a folder as newer releases write it, are merged in the same way.
    again = tmp_path / "again.safetensors"
    assert merge(target, "-o", again, "--dtype", "fp32") == 0
    newer = tmp_path / "newer.safetensors"
    assert merge(write_smcd(tmp_path, layout="safetensors"), "-o", newer, "--dtype", "bf16") == 0
    assert {x.dtype for x in load_file(again).values()} == {torch.float32}
    assert {x.dtype for x in load_file(newer).values()} == {torch.bfloat16}


def test_a_file_of_a_network_that_lies_elsewhere(folder: Path, tmp_path: Path) -> None:
    other, target = tmp_path / "objects.bin", tmp_path / "one.safetensors"
    (folder / POSITION_FILE).rename(other)
    assert merge(folder / UNET_FILE, "-o", target, "--position-net", other) == 0
    assert split_merged(load_file(target)).keys() == {*NETWORKS}


def test_nothing_is_overwritten(folder: Path, tmp_path: Path, capsys) -> None:
    target = tmp_path / "smcd.safetensors"
    target.write_bytes(b"mine")
    assert merge(folder, "-o", target) == 2
    assert "exists already, and nothing is overwritten" in capsys.readouterr().err
    assert target.read_bytes() == b"mine"
    assert merge(folder, "-o", tmp_path / "smcd.bin") == 2
    assert "give it the ending .safetensors" in capsys.readouterr().err
    assert sorted(x.name for x in folder.iterdir()) == sorted(FILE_NAMES[0])


def copy_position_net(folder: Path) -> None:
    (folder / VISUAL_FILE).write_bytes((folder / POSITION_FILE).read_bytes())


def narrow_visual_encoder(folder: Path) -> None:
    network = VisualEncoder(VisualEncoderConfig(channels=(8, 16), blocks=1))
    torch.save(network.state_dict(), folder / VISUAL_FILE)


def break_values(folder: Path) -> None:
    weights = dict(smcd_weights()[UNET])
    weights["out.2.bias"] = torch.full_like(weights["out.2.bias"], 1e6)
    write_pickle(folder / UNET_FILE, weights)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / VISUAL_FILE).unlink(), f"lacks {VISUAL_FILE}"),
        (lambda folder: (folder / UNET_FILE).unlink(), f"lacks {UNET_FILE}"),
        (lambda folder: (folder / POSITION_FILE).write_bytes(b"PK"), "can't be read"),
        (copy_position_net, "but SMCD's visual encoder is needed"),
        (narrow_visual_encoder, "gives tokens of width 16"),
        (lambda folder: write_smcd(folder.parent, stage=1), "first stage of training"),
        (break_values, "too large for float16"),
    ],
)
def test_wrong_files(folder: Path, tmp_path: Path, capsys, spoil, words: str) -> None:
    """The message says what is wrong, and no half-written file stays."""
    spoil(folder)
    assert merge(folder, "-o", tmp_path / "smcd.safetensors") == 2
    assert words in capsys.readouterr().err
    assert [x for x in tmp_path.iterdir() if x != folder] == []


def test_a_folder_for_the_file_that_is_missing(folder: Path, tmp_path: Path, capsys) -> None:
    assert merge(folder, "-o", tmp_path / "no" / "smcd.safetensors") == 2
    assert f"There is no folder {tmp_path / 'no'}" in capsys.readouterr().err


def test_a_disk_without_room(folder: Path, tmp_path: Path, capsys, monkeypatch) -> None:
    import shutil

    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(9, 9, 9))
    assert merge(folder, "-o", tmp_path / "smcd.safetensors") == 2
    assert "the file needs" in capsys.readouterr().err


def test_another_network_in_the_place_of_the_unet(tmp_path: Path, capsys) -> None:
    path = tmp_path / "unet.safetensors"
    save_file({"conv_in.weight": torch.zeros(2, 2)}, path)
    assert merge(path, "-o", tmp_path / "smcd.safetensors") == 2
    assert "is needed" in capsys.readouterr().err
