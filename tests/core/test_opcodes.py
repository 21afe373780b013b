"""Sizes of the arrays in a pickle, read without executing the pickle."""

import io
import pickle
import zipfile

import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.opcodes import stored_arrays

BYTEARRAY = b"\x80\x02c__builtin__\nbytearray\nJ\xff\xff\xff\x7f\x85R."  # a pickle of 2 GB


class TestStoredArrays:
    @pytest.mark.parametrize("protocol", [2, 4])
    def test_tuples_that_grow(self, protocol: int) -> None:
        """A short pickle of a tuple of 2 ** 40 values: as a key it would take years."""
        nested: tuple = ()
        for _ in range(40):
            nested = (nested, nested)
        with pytest.raises(UserError, match="it makes a tuple of more than"):
            stored_arrays(pickle.dumps([nested], protocol=protocol))

    def test_tuples_that_nest(self) -> None:
        content = b"\x80\x02)" + b"\x85" * 20_000 + b"."
        with pytest.raises(UserError, match="it makes a tuple of more than"):
            stored_arrays(content)

    def test_bytes_of_any_length(self) -> None:
        with pytest.raises(UserError, match="it makes a bytearray"):
            stored_arrays(BYTEARRAY)

    def test_a_name_of_something_else(self) -> None:
        """The id of what lies outside a pickle is torch's only where it begins with "storage"."""
        assert stored_arrays(b"(X\x05\0\0\0otherK\x01tQ.") == []
        assert stored_arrays(b"K\x01Q.") == []

    @pytest.mark.parametrize("content", [b"", b".", b"\x80\x02\x85.", b"u.", b"\x80\x02h\x05."])
    def test_no_pickle(self, content: bytes) -> None:
        with pytest.raises((ValueError, IndexError, KeyError)):
            stored_arrays(content)

    def test_by_hand(self) -> None:
        save_to = io.BytesIO()
        torch.save({"a": torch.ones(3), "b": torch.ones(2, dtype=torch.int64)}, save_to)
        with zipfile.ZipFile(save_to) as archive:
            table = next(name for name in archive.namelist() if name.endswith("data.pkl"))
            assert stored_arrays(archive.read(table)) == [("0", 12), ("1", 16)]
