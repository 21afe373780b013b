"""Whatever is in a file of weights, the answer is tensors or one sentence that names the file."""

import io
import json
import warnings
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mutation import damaged
from safetensors.torch import save
from weight_cases import KEYS, VALUES

from fcvg_core.catalogue.integrity import is_whole
from fcvg_core.errors import UserError
from fcvg_core.files.weight_files import WeightFile, read_weights
from fcvg_core.lines.gluestick_keys import read_superpoint, superpoint_shapes
from fcvg_core.standalone.networks.convert import convert
from fcvg_core.weights import misfits

WEIGHTS = {"conv_in.weight": torch.ones(4, 3), "conv_in.bias": torch.zeros(4),
           "n.num_batches_tracked": torch.tensor(2)}  # fmt: skip


def pickled(content: object, zipped: bool = True) -> bytes:
    into = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(content, into, _use_new_zipfile_serialization=zipped)
    return into.getvalue()


CHECKPOINT = {"state_dict": {**WEIGHTS, "again": WEIGHTS["conv_in.weight"]}, "epoch": 3}
FILES = {
    "x.safetensors": save(WEIGHTS, metadata={"format": "pt"}),
    "x.bin": pickled(WEIGHTS),
    "x.pt": pickled(CHECKPOINT),
    "x.pth": pickled(WEIGHTS, zipped=False),
    "x.ckpt": pickled(CHECKPOINT, zipped=False),
}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["F32", "I64", "F4", "dtype", "shape", "data_offsets"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=3)
            | st.sampled_from(["dtype", "shape", "data_offsets", "__metadata__"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def check(path: Path) -> None:
    """Every reader of a file answers in tensors or in one sentence."""
    assert is_whole(path, path.suffix) in (True, False)
    target = path.with_suffix(".safetensors")  # of the conversion
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for read in (read_all, read_weights, convert):
            if path != target:
                target.unlink(missing_ok=True)
            try:
                read(path)
            except UserError as error:
                message = str(error)
                assert path.name in message and len(message) < 1000, message


def read_all(path: Path) -> None:
    file = WeightFile(path)
    assert all(isinstance(key, str) and value.is_meta for key, value in file.shapes.items())
    fitting = [
        key
        for key, value in file.shapes.items()
        if not misfits({key: value}, {key: tuple(value.shape)})
    ]
    for key, value in file.read(fitting, torch.float32):
        assert value.shape == file.shapes[key].shape


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
def test_accidents(tmp_path: Path, name: str, data: st.DataObject) -> None:
    path = tmp_path / name
    path.write_bytes(data.draw(damaged(FILES[name])))
    check(path)


@given(
    first=st.sampled_from([*FILES]),
    second=st.sampled_from([*FILES]),
    at=st.floats(0, 1),
    name=st.sampled_from([*FILES]),
)
def test_two_halves(tmp_path: Path, first: str, second: str, at: float, name: str) -> None:
    one, other = FILES[first], FILES[second]
    path = tmp_path / name
    path.write_bytes(one[: int(at * len(one))] + other[int(at * len(other)) :])
    check(path)


@given(header=JSON, numbers=st.integers(0, 64))
def test_headers(tmp_path: Path, header: object, numbers: int) -> None:
    path, text = tmp_path / "x.safetensors", json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(numbers))
    check(path)


@given(
    table=st.dictionaries(
        st.sampled_from([*WEIGHTS, "model", "state_dict", "module", *KEYS.values()]),
        st.sampled_from([*VALUES, "a table of weights"]),
        max_size=5,
    ),
    zipped=st.booleans(),
)
def test_tables(tmp_path: Path, table: dict, zipped: bool) -> None:
    weight = WEIGHTS["conv_in.weight"]
    content = {
        key: WEIGHTS if case == "a table of weights" else VALUES[case][0](weight)
        for key, case in table.items()
    }
    path = tmp_path / "x.bin"
    path.write_bytes(pickled(content, zipped))
    check(path)


@given(content=st.binary(max_size=200), name=st.sampled_from([*FILES]))
def test_any_bytes(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    check(tmp_path / name)


@given(case=st.sampled_from([*VALUES]), key=st.sampled_from([*superpoint_shapes()]))
def test_superpoint(case: str, key: str) -> None:
    state = {key: torch.ones(1).expand(shape) for key, shape in superpoint_shapes().items()}
    state = {name: value.clone() if value.ndim == 1 else value for name, value in state.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        state[key] = VALUES[case][0](torch.ones(superpoint_shapes()[key]))
    with pytest.raises(UserError, match="x.pth does not fit"):
        read_superpoint(state, name="x.pth")
