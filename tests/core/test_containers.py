"""Files of weights whose form is wrong, told before a library reads them."""

import json
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from weight_cases import repacked, save

from fcvg_core.containers import KINDS, Entry, check_pickle, read_header
from fcvg_core.errors import UserError

BYTEARRAY = b"\x80\x02c__builtin__\nbytearray\nJ\xff\xff\xff\x7f\x85R."  # a pickle of 2 GB
WEIGHTS = {"a": torch.ones(3, 4), "b": torch.ones(5, dtype=torch.float16)}


def header_of(path: Path) -> dict[str, Entry]:
    with open(path, "rb") as opened:
        return read_header(opened, name=path.name)


def check(path: Path) -> None:
    with open(path, "rb") as opened:
        check_pickle(opened, name=path.name)


def written(path: Path, header: object, numbers: int = 0) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(numbers))
    return path


def entry(dtype: object = "F32", shape: object = (2,), offsets: object = (0, 8)) -> dict:
    return {"a": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


class TestReadHeader:
    def test_entries(self, tmp_path: Path) -> None:
        save_file(WEIGHTS, tmp_path / "x.safetensors", metadata={"format": "pt"})
        expected = {"a": Entry("float32", (3, 4)), "b": Entry("float16", (5,))}
        assert header_of(tmp_path / "x.safetensors") == expected

    def test_kinds_are_those_of_the_library(self) -> None:
        from safetensors.torch import _TYPES

        kinds = {
            name: (str(kind).removeprefix("torch."), kind.itemsize)
            for name, kind in _TYPES.items()
            if "F4" not in name
        }
        assert KINDS.items() >= kinds.items()

    @pytest.mark.parametrize(
        "header",
        [
            {},
            {"__metadata__": None},
            {"__metadata__": {"format": "pt"}},
        ],
    )
    def test_nothing_in_it(self, tmp_path: Path, header: dict) -> None:
        assert header_of(written(tmp_path / "x", header)) == {}

    @pytest.mark.parametrize(
        "header",
        [
            b"",
            b"no json",
            b"[" * 10**5,
            b'{"a":' * 10**5,
            [],
            None,
            3,
            {"a": None},
            {"a": {}},
            entry(shape=None),
            entry(shape=[-2]),
            entry(shape=["2"]),
            entry(shape=[2.0]),
            entry(shape=[True]),
            entry(shape=[4]),
            entry(shape=[2**70]),
            entry(offsets=None),
            entry(offsets=[0]),
            entry(offsets=[8, 0]),
            entry(offsets=[0, 9]),
            entry(offsets=[4, 12]),
            entry(offsets=["0", "8"]),
            {**entry(), "b": entry()["a"]},  # both at one place
            {**entry(), "__metadata__": {"format": 1}},
            {**entry(), "__metadata__": "pt"},
        ],
    )
    def test_damaged(self, tmp_path: Path, header: object) -> None:
        path = written(tmp_path / "x.safetensors", header, 8)
        with pytest.raises(UserError, match=r"x.safetensors \(\d+ bytes\) can't be read as model"):
            header_of(path)

    @pytest.mark.parametrize("length", [0, 100, 2**31, 2**63, 2**64 - 1])
    def test_length(self, tmp_path: Path, length: int) -> None:
        (tmp_path / "x").write_bytes(length.to_bytes(8, "little") + bytes(50))
        with pytest.raises(UserError, match="x .*can't be read"):
            header_of(tmp_path / "x")

    @pytest.mark.parametrize("kind", ["F4", "F6_E2M3", "F6_E3M2", "f32", "", "X" * 10**6, None, 4])
    def test_kinds_that_torch_has_not(self, tmp_path: Path, kind: object) -> None:
        path = written(tmp_path / "x", entry(dtype=kind), 8)
        with pytest.raises(UserError, match="x holds numbers of a kind .*: a is .*fp32") as error:
            header_of(path)
        assert len(str(error.value)) < 300

    def test_empty_tensors(self, tmp_path: Path) -> None:
        """A shape alone may ask for a network of any size."""
        path = written(tmp_path / "x", entry(shape=[10**9, 0], offsets=[0, 0]))
        with pytest.raises(UserError, match=r"x holds an empty tensor: a is \(1000000000, 0\)"):
            header_of(path)
        assert header_of(written(tmp_path / "x", entry(shape=[0], offsets=[0, 0])))


class TestCheckPickle:
    @pytest.mark.parametrize("zipped", [True, False])
    def test_what_torch_writes(self, tmp_path: Path, zipped: bool) -> None:
        content = {
            "state_dict": {
                **WEIGHTS,
                "again": WEIGHTS["a"][1:],
                "fp8": torch.ones(3).to(torch.float8_e4m3fn),
                "one": torch.tensor(1.0),
            },
            "optimizer": {"state": {0: {"step": torch.tensor(3)}}, "betas": (0.9, 0.999)},
            "random": (3, tuple(range(625)), None),
        }
        torch.save(content, tmp_path / "x", _use_new_zipfile_serialization=zipped)
        check(tmp_path / "x")

    @pytest.mark.parametrize(
        ("how", "words"),
        [
            ("compressed", "its entries are compressed"),
            ("overlapping", "its entries overlap"),
            ("greedy", "its array 0 should have 48 bytes, but it has 8"),
        ],
    )
    def test_archives(self, tmp_path: Path, how: str, words: str) -> None:
        path = repacked(save(tmp_path / "a", WEIGHTS), tmp_path / "x.pth", how)
        with pytest.raises(UserError, match=f"x.pth is not a file of weights: {words}"):
            check(path)

    def test_two_entries_of_one_name(self, tmp_path: Path) -> None:
        path = save(tmp_path / "x", WEIGHTS)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("X/DATA/0", bytes(10**4))  # torch looks for names in any case
        with pytest.raises(UserError, match="can't be read"):
            check(path)

    def test_what_its_table_makes(self, tmp_path: Path) -> None:
        path = save(tmp_path / "plain", WEIGHTS)
        with zipfile.ZipFile(path) as archive, zipfile.ZipFile(tmp_path / "x", "w") as other:
            for name in archive.namelist():
                table = name.endswith("data.pkl")
                other.writestr(name, BYTEARRAY if table else archive.read(name))
        with pytest.raises(
            UserError, match="x is not a file of weights: it makes a bytearray, which"
        ):
            check(tmp_path / "x")

    @pytest.mark.parametrize("content", [b"PK\x03\x04", b"PK\x03\x04" + bytes(99), b""])
    def test_damaged(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "x").write_bytes(content)
        with pytest.raises(UserError, match=r"x \(\d+ bytes\) can't be read as model weights"):
            check(tmp_path / "x")

    def test_the_older_kind_asks_for_too_much(self, tmp_path: Path) -> None:
        torch.save({"a": torch.ones(99)}, tmp_path / "x", _use_new_zipfile_serialization=False)
        content = (tmp_path / "x").read_bytes()
        assert content.count(b"K\x63") >= 1  # the number 99, of one byte
        changed = content.replace(b"K\x63", b"J\x00\x00\x00\x40")
        (tmp_path / "x").write_bytes(changed)
        with pytest.raises(UserError, match="x is not a file of weights: its array .* 4294967296"):
            check(tmp_path / "x")

    def test_another_pickle_is_left_to_the_reader(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(pickle.dumps({"a": 1}))
        check(tmp_path / "x")
