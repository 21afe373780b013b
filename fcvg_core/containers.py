"""Checks of .safetensors files and of files from torch.save, before a library reads them.

A .safetensors file is a header followed by numbers. torch.save writes a zip archive with a
pickle; older versions wrote a pickle followed by numbers. torch.save never compresses, so a
compressed archive is refused: it could be a small file that unpacks to gigabytes. torch.load
allocates as many bytes as the pickle asks for, so these numbers are compared with the file.
"""

import math
import mmap
import os
import zipfile
from collections.abc import Iterable
from typing import Any, BinaryIO, NamedTuple

from .errors import UserError
from .json_text import parse_json
from .opcodes import older_arrays, stored_arrays
from .quoting import unquoted

MAX_HEADER = 100 * 2**20  # bytes; the library's own limit
METADATA = "__metadata__"
SAFETENSORS = (".safetensors", ".sft")  # file name endings
ZIP = b"PK\x03\x04"
ZIP_ENTRY = 30  # bytes before an entry's name
# Number format in a .safetensors file -> torch's name, bytes per number.
KINDS = {
    "F64": ("float64", 8), "F32": ("float32", 4), "F16": ("float16", 2), "BF16": ("bfloat16", 2),
    "I64": ("int64", 8), "I32": ("int32", 4), "I16": ("int16", 2), "I8": ("int8", 1),
    "U64": ("uint64", 8), "U32": ("uint32", 4), "U16": ("uint16", 2), "U8": ("uint8", 1),
    "BOOL": ("bool", 1), "C64": ("complex64", 8),
    "F8_E4M3": ("float8_e4m3fn", 1), "F8_E5M2": ("float8_e5m2", 1),
    "F8_E4M3FNUZ": ("float8_e4m3fnuz", 1), "F8_E5M2FNUZ": ("float8_e5m2fnuz", 1),
    "F8_E8M0": ("float8_e8m0fnu", 1),
}  # fmt: skip


class Entry(NamedTuple):
    """A tensor in the header of a .safetensors file.

    Attributes:
        kind: torch's name of the number format, for example "float16".
    """

    kind: str
    shape: tuple[int, ...]


def read_header(opened: BinaryIO, *, name: str) -> dict[str, Entry]:
    """The tensors of a .safetensors file by name; only the header is read.

    Args:
        opened: the file, at its start.
        name: name of the file, for messages.

    Raises:
        UserError: the header is not valid, or does not match the size of the file.
    """
    size = os.fstat(opened.fileno()).st_size
    length = int.from_bytes(opened.read(8), "little")
    if size < 8 or length > min(size - 8, MAX_HEADER):
        raise _unreadable(name, size, "its header is longer than the file or than 100 MiB")
    try:
        header = parse_json(opened.read(length))
        _check_metadata(header.pop(METADATA, None))
        entries = {key: _entry(key, value) for key, value in header.items()}
        _check_places(header, entries, size - 8 - length)
    except UserError as error:
        raise UserError(f"{name} {error}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _unreadable(name, size, "its header is not valid") from error
    return entries


def _check_metadata(metadata: Any) -> None:
    """Raise an error unless the metadata is None or a table of texts."""
    values = () if metadata is None else metadata.values()
    if not all(isinstance(value, str) for value in values):
        raise ValueError("the metadata holds something other than text")


def _entry(key: str, described: dict) -> Entry:
    shape, kind = tuple(described["shape"]), str(described["dtype"])
    if kind not in KINDS:
        raise UserError(
            f"holds numbers of a kind that torch does not support: {unquoted(key)} is "
            f"{unquoted(kind)}. Use the fp16 or fp32 file of the model."
        )
    if not all(type(side) is int and side >= 0 for side in shape):
        raise ValueError("a shape is not valid")
    if len(shape) > 1 and 0 in shape:
        raise UserError(f"holds an empty tensor: {unquoted(key)} is {unquoted(str(shape))}.")
    return Entry(KINDS[kind][0], shape)


def _check_places(header: dict[str, dict], entries: dict[str, Entry], size: int) -> None:
    """Raise ValueError unless the tensors follow each other without gaps and fill `size` bytes."""
    end = 0
    for first, last, key in sorted((*value["data_offsets"], key) for key, value in header.items()):
        bytes_each = KINDS[header[key]["dtype"]][1]
        if first != end or last - first != math.prod(entries[key].shape) * bytes_each:
            raise ValueError("tensors overlap, or do not have the size of their shapes")
        end = last
    if end != size:
        raise ValueError("the file is incomplete, or continues after its last tensor")


def check_pickle(opened: BinaryIO, *, name: str) -> None:
    """Refuse a file that torch.save can't have written and that would harm torch.load.

    Args:
        opened: the file, at its start. Its position afterwards is undefined.
        name: name of the file, for messages.

    Raises:
        UserError: entries are compressed or overlap, the pickle asks for more bytes than the file
            has, or the file is damaged.
    """
    size = os.fstat(opened.fileno()).st_size
    start = opened.read(len(ZIP))
    opened.seek(0)
    try:
        fault = _zip_fault(opened, size) if start == ZIP else _pickle_fault(opened, size)
    except UserError as error:
        fault = str(error)
    except Exception as error:  # zipfile and pickletools raise many types for damaged files
        raise _unreadable(name, size, "its table of contents is damaged") from error
    if fault:
        raise UserError(
            f"{name} is not a file of weights: {fault}, which torch.save never writes. Use the "
            "model's .safetensors file."
        )


def _zip_fault(opened: BinaryIO, size: int) -> str | None:
    """Fault of a zip archive, in words; None if there is no fault."""
    with zipfile.ZipFile(opened) as archive:
        entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
        if any(
            entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size
            for entry in entries
        ):
            return "its entries are compressed"
        end = 0
        for entry in entries:
            if entry.header_offset < end:
                return "its entries overlap"
            end = entry.header_offset + ZIP_ENTRY + entry.file_size
        # torch ignores the case of names.
        sizes = {entry.filename.lower(): entry.file_size for entry in entries}
        tables = [entry for entry in entries if entry.filename.endswith("/data.pkl")]
        if end > size or len(sizes) < len(entries) or len(tables) != 1:
            raise ValueError("not an archive from torch.save")
        root = tables[0].filename.removesuffix("data.pkl").lower()
        arrays = stored_arrays(archive.read(tables[0]))
    return _missing_bytes(
        (key, length, sizes.get(f"{root}data/{key}".lower(), 0)) for key, length in arrays
    )


def _pickle_fault(opened: BinaryIO, size: int) -> str | None:
    """Fault of a file in torch's older format; None for other pickles (torch.load refuses them)."""
    # A pickle contains the lengths of its texts. Reading from a file object would allocate them
    # before the end of the file is noticed; a memory map does not.
    with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        arrays = older_arrays(content)
    return _missing_bytes(
        [
            *((key, length, size) for key, length in arrays),
            ("all", sum(length for _, length in arrays), size),
        ]
    )


def _missing_bytes(arrays: Iterable[tuple[str, int, int]]) -> str | None:
    """Fault, in words, if an array is longer than the bytes that the file has for it.

    Args:
        arrays: key of each array, its length, and the bytes in the file.
    """
    for key, length, present in arrays:
        if length > present:
            return f"its array {unquoted(key)} should have {length} bytes, but it has {present}"
    return None


def _unreadable(name: str, size: int, why: str) -> UserError:
    return UserError(
        f"{name} ({size} bytes) can't be read as model weights ({why}). It is empty, incomplete "
        "or a different kind of file: download it again."
    )
