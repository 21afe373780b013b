"""The two containers that weights come in, checked on an open file before a library reads it.

A .safetensors file is a table and numbers. What torch.save writes is a pickle, in a zip or, of
old, with numbers behind it. torch never compresses: a small file whose entries unpack to
gigabytes was made for nothing else. torch reads as many bytes as a pickle asks for, too, and does
not look whether the file has them.
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
from .quoting import shown

MAX_HEADER = 100 * 2**20  # bytes; the library's own limit
METADATA = "__metadata__"
SAFETENSORS = (".safetensors", ".sft")  # how names of such files end
ZIP = b"PK\x03\x04"
ZIP_ENTRY = 30  # bytes before an entry's name
# Kinds of numbers as a .safetensors file names them: torch's names, and bytes of one.
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
    """A tensor of a .safetensors file, by its header.

    Attributes:
        kind: of its numbers, as torch calls it.
    """

    kind: str
    shape: tuple[int, ...]


def read_header(opened: BinaryIO, *, name: str) -> dict[str, Entry]:
    """The tensors of a .safetensors file, from its header alone.

    Args:
        opened: the file, at its start.
        name: of the file, for messages.

    Raises:
        UserError: the header is none, or does not go with the rest of the file.
    """
    size = os.fstat(opened.fileno()).st_size
    length = int.from_bytes(opened.read(8), "little")
    if size < 8 or length > min(size - 8, MAX_HEADER):
        raise _unreadable(name, size, "its header is longer than the file or than 100 MiB")
    try:
        header = parse_json(opened.read(length))
        _check_notes(header.pop(METADATA, None))
        entries = {key: _entry(key, value) for key, value in header.items()}
        _check_places(header, entries, size - 8 - length)
    except UserError as error:
        raise UserError(f"{name} {error}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _unreadable(name, size, "its header can't be understood") from error
    return entries


def _check_notes(notes: Any) -> None:
    if not all(isinstance(value, str) for value in ({} if notes is None else notes).values()):
        raise ValueError("notes are texts")


def _entry(key: str, described: dict) -> Entry:
    shape, kind = tuple(described["shape"]), str(described["dtype"])
    if kind not in KINDS:
        raise UserError(
            f"holds numbers of a kind that torch has not: {shown(key)} is {shown(kind)}. Take the "
            "fp16 or fp32 file of the model."
        )
    if not all(type(side) is int and side >= 0 for side in shape):
        raise ValueError("no shape")
    if len(shape) > 1 and 0 in shape:
        raise UserError(f"holds an empty tensor: {shown(key)} is {shown(str(shape))}.")
    return Entry(KINDS[kind][0], shape)


def _check_places(header: dict[str, dict], entries: dict[str, Entry], size: int) -> None:
    """Raise ValueError unless the tensors lie one behind the other and fill `size` bytes."""
    end = 0
    for first, last, key in sorted((*value["data_offsets"], key) for key, value in header.items()):
        bytes_each = KINDS[header[key]["dtype"]][1]
        if first != end or last - first != math.prod(entries[key].shape) * bytes_each:
            raise ValueError("tensors overlap, or are not as large as their shapes")
        end = last
    if end != size:
        raise ValueError("the file is cut off, or goes on behind its last tensor")


def check_pickle(opened: BinaryIO, *, name: str) -> None:
    """Refuse what torch.save never writes and a reader would choke on.

    Args:
        opened: the file, at its start. It is left anywhere.
        name: of the file, for messages.

    Raises:
        UserError: entries are compressed or overlap, the pickle asks for more bytes than there
            are, or the file is damaged.
    """
    size = os.fstat(opened.fileno()).st_size
    start = opened.read(len(ZIP))
    opened.seek(0)
    try:
        fault = _zip_fault(opened, size) if start == ZIP else _pickle_fault(opened, size)
    except UserError as error:
        fault = str(error)
    except Exception as error:  # the readers of zips and pickles raise anything over damage
        raise _unreadable(name, size, "its table of contents is damaged") from error
    if fault:
        raise UserError(
            f"{name} is no file of weights: {fault}, which torch.save never writes. Take the "
            "model's .safetensors file."
        )


def _zip_fault(opened: BinaryIO, size: int) -> str | None:
    """What is wrong with an archive, in words."""
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
        held = {entry.filename.lower(): entry.file_size for entry in entries}  # as torch finds them
        tables = [entry for entry in entries if entry.filename.endswith("/data.pkl")]
        if end > size or len(held) < len(entries) or len(tables) != 1:
            raise ValueError("no archive of torch's")
        root = tables[0].filename.removesuffix("data.pkl").lower()
        asked = stored_arrays(archive.read(tables[0]))
    return _greedy((key, length, held.get(f"{root}data/{key}".lower(), 0)) for key, length in asked)


def _pickle_fault(opened: BinaryIO, size: int) -> str | None:
    """What is wrong with a pickle of torch's older kind; another one is the reader's affair."""
    # A pickle tells how long its texts are, and a file makes room for as much before it reads.
    with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        asked = older_arrays(content)
    return _greedy(
        [
            *((key, length, size) for key, length in asked),
            ("all", sum(length for _, length in asked), size),
        ]
    )


def _greedy(asked: Iterable[tuple[str, int, int]]) -> str | None:
    """Whether bytes are asked for that are not there, told in words."""
    for key, length, there in asked:
        if length > there:
            return f"its array {shown(key)} should have {length} bytes, where there are {there}"
    return None


def _unreadable(name: str, size: int, why: str) -> UserError:
    return UserError(
        f"{name} ({size} bytes) can't be read as model weights: it is empty, cut off or another "
        f"kind of file ({why}). Download it again."
    )
