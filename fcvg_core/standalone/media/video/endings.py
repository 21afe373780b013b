"""Checks whether a video file is complete, for formats whose duration FFmpeg does not know."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

TS_PACKETS = 188, 192, 204  # possible sizes of a packet, in bytes
# Identifier of the object in a WMV file that holds the file's size; it is in the first 2**16 bytes.
ASF_PROPERTIES, ASF_HEAD = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365"), 2**16
SEGMENT = b"\x18S\x80g"  # Matroska's element that contains all other elements
# FLV: bytes of the header, of a tag without data, and of its part behind the data; tag types.
FLV_HEAD, FLV_TAG, FLV_BACK, FLV_KINDS = 13, 15, 4, (8, 9, 18)
# Header of a packet in an MPEG program stream: the type (sound or picture), then its length.
PES, PES_HEAD, PES_LARGEST = re.compile(rb"\x00\x00\x01[\xbd-\xef]"), 6, 2**16


def lacks_its_end(path: Path, kind: str) -> bool:
    """Whether a file is incomplete, as far as its format shows it.

    Args:
        path: the file.
        kind: FFmpeg's name of the format.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        return kind in CHECKS and CHECKS[kind](file, size)


def _transport(_: BinaryIO, size: int) -> bool:
    return all(size % packet for packet in TS_PACKETS)


def _program(file: BinaryIO, size: int) -> bool:
    file.seek(max(size - 2 * PES_LARGEST, 0))
    tail = file.read()
    for found in reversed([*PES.finditer(tail)]):
        length = int.from_bytes(tail[found.end() : found.end() + 2], "big")
        return found.start() + PES_HEAD + length > len(tail)
    return False


def _ending_with(end: bytes) -> Callable[[BinaryIO, int], bool]:
    def lacks(file: BinaryIO, _: int) -> bool:
        file.seek(-len(end), os.SEEK_END)
        return file.read() != end

    return lacks


def _asf(file: BinaryIO, size: int) -> bool:
    _, found, properties = file.read(ASF_HEAD).partition(ASF_PROPERTIES)
    return bool(found) and int.from_bytes(properties[24:32], "little") > size


def _flv(file: BinaryIO, size: int) -> bool:
    place = FLV_HEAD
    while place < size:
        file.seek(place)
        head = file.read(4)
        if head[0] & 0x1F not in FLV_KINDS:
            return False
        place += FLV_TAG + int.from_bytes(head[1:], "big")
    return place > size and place - size != FLV_BACK  # some files lack these bytes at the end


def _matroska(file: BinaryIO, size: int) -> bool:
    """Follow the sizes of elements; an element without a size (as in a stream) is entered."""
    place = 0
    while place < size:
        file.seek(place)
        head = file.read(12)
        name = _vint_bytes(head)
        if name > 4:  # not an element
            return False
        length = _vint_bytes(head[name:])
        if name + length > len(head):
            return True
        place += name + length
        value = int.from_bytes(head[name : name + length], "big") & (2 ** (7 * length) - 1)
        if head[:name] != SEGMENT and value != 2 ** (7 * length) - 1:
            place += value
    return place > size


def _vint_bytes(head: bytes) -> int:
    """Length in bytes of a Matroska number, 1 to 9: the number of leading zero bits, plus 1."""
    return 9 - head[0].bit_length() if head else 9


CHECKS: dict[str, Callable[[BinaryIO, int], bool]] = {
    "mpegts": _transport,
    "mpeg": _program,
    "gif": _ending_with(b";"),
    "apng": _ending_with(b"IEND\xaeB`\x82"),
    "asf": _asf,
    "flv": _flv,
    "matroska,webm": _matroska,
}
