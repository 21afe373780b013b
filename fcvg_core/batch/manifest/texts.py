"""The lines of a manifest as texts."""

from collections.abc import Iterator
from typing import BinaryIO

from .rows import Rows

MAX_LINE = 2**20  # bytes of a line
BOM = b"\xef\xbb\xbf"
UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_texts(file: BinaryIO, found: Rows) -> Iterator[str]:
    """Each line with its line end; a line that is no text is an empty one, and a fault."""
    for number, line in enumerate(_lines(file), 1):
        if number == 1:
            if line.startswith(UTF16):
                found.refuse(1, "this is UTF-16: save the manifest as UTF-8 (CSV UTF-8 in Excel).")
                return
            line = line.removeprefix(BOM)
        text = "\n"
        try:
            if len(line) > MAX_LINE:
                found.refuse(number, f"it has more than {MAX_LINE >> 20} MiB; expected one row.")
            else:
                text = line.decode()
        except UnicodeDecodeError as error:
            column = len(line[: error.start].decode()) + 1
            found.refuse(number, "this is not UTF-8: save the manifest as UTF-8.", column=column)
        yield text


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file. Of a line that is too long the beginning comes, one byte too long."""
    while line := file.readline(MAX_LINE + 1):
        yield line
        while len(line) > MAX_LINE and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE + 1)
