"""The command `diff-weights`: its table, its JSON and the small file."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from fcvg_core.standalone.cli.main import main

BLOCK = "down_blocks.0.attentions.0.transformer_blocks.0.attn1"


@pytest.fixture
def files(tmp_path) -> list[str]:
    """Two files that differ in one of three tensors; the second is in half precision."""
    ones = {name: torch.ones(4, 4) for name in (f"{BLOCK}.to_q.weight", f"{BLOCK}.to_v.weight")}
    first = {**ones, "conv_in.bias": torch.full((4,), 0.1)}
    second = {name: value.half() for name, value in first.items()}
    second[f"{BLOCK}.to_v.weight"][0, 0] = 1.5
    paths = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for path, tensors in zip(paths, (first, second), strict=True):
        save_file(tensors, path)
    return [str(path) for path in paths]


def test_table(files, capsys):
    assert main(["diff-weights", *files]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "1 of 3 tensors differ, compared as float16, to which the finer file was rounded."
    )
    rows = {line[:34].strip(): line[34:].split() for line in lines[3:6]}
    assert rows["values"] == ["1", "1", "16", "0.5"]
    assert rows["queries and keys"] == ["0", "1", "0", "0"]
    assert lines[-1] == "All that differ are in the trained set control+vo of `train`."


def test_json(files, capsys):
    assert main(["diff-weights", *files, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["changed"] == {f"{BLOCK}.to_v.weight": 0.5} and len(found["same"]) == 2
    assert found["trained_set"] == "control+vo" and found["compared_as"] == "float16"


def test_the_small_file(files, tmp_path, capsys):
    path = tmp_path / "small.safetensors"
    assert main(["diff-weights", *files, "--write", str(path)]) == 0
    assert f"written: {path}" in capsys.readouterr().out
    small = load_file(path)
    assert {name: value.dtype for name, value in small.items()} == {
        f"{BLOCK}.to_v.weight": torch.float16  # that of B
    }
    assert main(["diff-weights", *files, "--write", str(path)]) == 2
    assert "small.safetensors exists already" in capsys.readouterr().err
    other = tmp_path / "other.safetensors"
    assert main(["diff-weights", *files, "--write", str(other), "--dtype", "fp32"]) == 0
    assert load_file(other)[f"{BLOCK}.to_v.weight"].dtype == torch.float32


def test_names_that_one_file_lacks(files, tmp_path, capsys):
    tensors = load_file(files[0])
    save_file({**tensors, "conv_out.bias": torch.ones(1)}, tmp_path / "more.safetensors")
    assert main(["diff-weights", files[0], str(tmp_path / "more.safetensors")]) == 0
    assert "1 in B alone: conv_out.bias" in capsys.readouterr().out


def test_bad_input_is_one_sentence(files, tmp_path, capsys):
    (Path(tmp_path) / "empty").mkdir()
    assert main(["diff-weights", files[0], str(tmp_path / "empty")]) == 2
    assert "holds no unet/" in capsys.readouterr().err
    assert main(["diff-weights", files[0], str(tmp_path / "none.safetensors")]) == 2
    assert "none.safetensors" in capsys.readouterr().err
