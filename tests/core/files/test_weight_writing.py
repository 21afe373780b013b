"""Files of weights that are written one tensor at a time."""

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from fcvg_core.files.weight_files import WeightFile
from fcvg_core.files.weight_writing import write_tensors

TENSORS = {
    "half": torch.arange(3).half(),
    "whole": torch.arange(6.0).reshape(2, 3).T,  # not contiguous
    "number": torch.tensor(2.5),
    "brain": torch.ones(5, dtype=torch.bfloat16),
    "ids": torch.arange(4)[None],
    "empty": torch.zeros(0),
}


def read(names):
    return ((name, TENSORS[name]) for name in names)


def test_the_library_reads_it(tmp_path):
    path = tmp_path / "x.safetensors"
    write_tensors(path, TENSORS, read, {"base": "SVD", "recipe": '{"steps": 3}'})
    found = load_file(path)
    assert found.keys() == TENSORS.keys()
    for name, value in TENSORS.items():
        assert torch.equal(found[name], value) and found[name].dtype == value.dtype
    with safe_open(path, "pt") as opened:
        assert opened.metadata() == {"base": "SVD", "recipe": '{"steps": 3}'}
    assert WeightFile(path).shapes.keys() == TENSORS.keys()  # our own checks, too


def test_the_same_content_each_time(tmp_path):
    """Also from a table of shapes on the meta device."""
    write_tensors(tmp_path / "a", TENSORS, read, {"b": "1", "a": "2"})
    shapes = {name: value.to("meta") for name, value in TENSORS.items()}
    write_tensors(tmp_path / "b", shapes, read, {"b": "1", "a": "2"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    "given", [("other", TENSORS["half"]), ("half", torch.zeros(3)), ("half", torch.zeros(4).half())]
)
def test_another_tensor_than_was_said(tmp_path, given):
    with pytest.raises(ValueError, match="expected half as torch.float16, got"):
        write_tensors(tmp_path / "x", {"half": TENSORS["half"]}, lambda names: iter([given]), {})


def test_too_few_tensors(tmp_path):
    with pytest.raises(ValueError, match="shorter"):
        write_tensors(tmp_path / "x", TENSORS, lambda names: iter(()), {})
