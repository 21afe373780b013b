"""Removes metadata from picture files; only the orientation is kept.

PIL reads all metadata when it opens a file. Large or damaged metadata (a colour profile, a text, a
resolution, a thumbnail) makes PIL fail, although the pixels do not depend on it.

Source: PNG specification (third edition); ITU T.81; TIFF 6.0; RIFF container of WebP; ISO 23008-12.
"""

import re
import struct
import zlib
from collections.abc import Iterator

ORIENTATION = 0x0112  # tag in TIFF and EXIF, which have the same format
SHORT = 3  # type of a tag
# Integer types -> Python's struct format. Some programs write signed or long integers.
WHOLE = {SHORT: "H", 4: "I", 6: "b", 8: "h", 9: "i"}
XMP_ORIENTATION = re.compile(rb"tiff:Orientation\s*(?:=\s*[\"']|>)\s*([1-8])\s*[\"'<]")
MAX_TEXT = 2**20  # bytes; longer compressed texts are cut
PNG = b"\x89PNG\r\n\x1a\n"
JPEG, SCAN, COMMENT = b"\xff\xd8", 0xDA, 0xFE
MARKER = re.compile(rb"\xff+([^\xff])", re.DOTALL)  # with fill bytes before it
JFIF, APP1, ADOBE, LAST_APP = 0xE0, 0xE1, 0xEE, 0xEF
# JPEG segments with the coding of colours, and the smallest length of a complete segment.
COLOUR_SEGMENTS = {JFIF: 16, ADOBE: 14}
NAKED = (0x00, 0x01, *range(0xD0, 0xDA))  # JPEG markers without a length
XMP_SEGMENT = b"http://ns.adobe.com/xap/1.0/\0"
WEBP_HAS_EXIF = 0x08  # a flag in the first section of WebP
TIFFS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
TIFF_XMP = 700
# TIFF tags that are needed to decode the pixels.
PIXEL_TAGS = {
    *range(254, 260),
    262,
    263,
    266,
    273,
    *range(275, 282),
    284,
    292,
    293,
    317,
    320,
    321,
    *range(322, 326),
    *range(332, 335),
    336,
    338,
    *range(339, 344),
    347,
    *range(512, 522),
    *range(529, 533),
    34016,
    50674,
}
# An item of AVIF: its number and its type.
EXIF_ITEM = re.compile(rb"(infe[\2\3].{3}(?:.{2}|.{4})\0\0)Exif", re.DOTALL)


def without_metadata(content: bytes) -> bytes:
    """The bytes of a picture file without metadata; pixels and orientation are kept.

    Files in PNG, JPEG, WebP, TIFF, AVIF, JPEG 2000 and Photoshop format are rewritten. Files in
    other formats are returned unchanged, and so are files whose sections can't be separated
    because of damage.

    Raises:
        ValueError: the checksum of a PNG's pixels is wrong, or a JPEG has no pixels.
    """
    rewrite = None
    if content.startswith(PNG):
        rewrite = _png
    elif content.startswith(JPEG):
        rewrite = _jpeg
    elif content.startswith(TIFFS):
        rewrite = _tiff
    elif content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        rewrite = _webp
    elif content.startswith(b"8BPS"):
        rewrite = _psd
    elif content[4:8] == b"jP  ":
        return _jpeg2000(content)
    elif content[4:8] == b"ftyp":  # AVIF, whose orientation is not in the EXIF data
        return EXIF_ITEM.sub(rb"\1skip", content)
    try:
        return rewrite(content) if rewrite else content
    except (struct.error, IndexError):  # the file ends inside a section
        return content


def _png(content: bytes) -> bytes:
    kept, exif, xmp, at = [], b"", b"", len(PNG)
    while at < len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        data = content[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", content, at + 8 + length)
        is_whole = zlib.crc32(kind + data) == checksum
        if not kind[0] & 0x20:  # a capital letter: the section is needed for the pixels
            if not is_whole:
                raise ValueError(f"the checksum of its section {kind!r} is wrong")
            kept.append(content[at : at + 12 + length])
        elif is_whole and kind == b"eXIf":
            exif = exif or data
        elif is_whole and kind in (b"tEXt", b"zTXt", b"iTXt"):
            keyword, text = _png_text(kind, data)
            if keyword == b"XML:com.adobe.xmp":
                xmp = xmp or text
            elif keyword == b"Raw profile type exif":
                exif = exif or _from_hex(text)
        at += 12 + length
        if kind == b"IEND":
            break
    if orientation := _exif_orientation(exif) or _xmp_orientation(xmp):
        exif = _exif(orientation)
        checksum = zlib.crc32(b"eXIf" + exif)
        kept.insert(1, struct.pack(">I4s", len(exif), b"eXIf") + exif + struct.pack(">I", checksum))
    return b"".join([PNG, *kept])


def _png_text(kind: bytes, data: bytes) -> tuple[bytes, bytes]:
    """Keyword and text of a text section; the text is empty if it can't be unpacked."""
    keyword, _, text = data.partition(b"\0")
    is_packed = kind == b"zTXt"
    if is_packed:
        text = text[1:]
    elif kind == b"iTXt":
        is_packed = text[:1] == b"\1"
        text = text[2:].split(b"\0", 2)[-1]
    if is_packed:
        try:
            text = zlib.decompressobj().decompress(text, MAX_TEXT)
        except zlib.error:
            text = b""
    return keyword, text


def _from_hex(text: bytes) -> bytes:
    """Bytes from ImageMagick's text format: a name, a length, then hexadecimal digits."""
    try:
        return bytes.fromhex(b"".join(text.split()[2:]).decode("ascii"))
    except ValueError:
        return b""


def _jpeg(content: bytes) -> bytes:
    kept, exif, xmp, at = [], b"", b"", len(JPEG)
    while found := MARKER.search(content, at):
        at, marker = found.end() - 2, found[1][0]
        if marker == SCAN:
            break
        if marker in NAKED:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", content, at + 2)
        segment = content[at : at + 2 + length]
        if marker == APP1 and segment[4:].startswith(b"Exif\0"):
            exif += segment[10:]
        elif marker == APP1 and segment[4:].startswith(XMP_SEGMENT):
            xmp = xmp or segment
        elif marker in COLOUR_SEGMENTS:
            kept += [segment] if len(segment) - 2 >= COLOUR_SEGMENTS[marker] else []
        elif not JFIF <= marker <= LAST_APP and marker != COMMENT:
            kept.append(segment)
        at += 2 + length
    if not found:
        raise ValueError("there are no pixels in it")
    if orientation := _exif_orientation(exif) or _xmp_orientation(xmp):
        exif = b"Exif\0\0" + _exif(orientation)
        kept.append(struct.pack(">BBH", 0xFF, APP1, 2 + len(exif)) + exif)
    return b"".join([JPEG, *kept, content[at:]])


def _tiff(content: bytes) -> bytes:
    """Replace the first directory by a directory without metadata; later pages are dropped."""
    order = "<" if content.startswith(b"II") else ">"
    if content[2:4] in (b"+\0", b"\0+"):  # BigTIFF
        where, number, entry, link = 8, order + "Q", order + "HHQ8s", order + "Q"
    else:
        where, number, entry, link = 4, order + "H", order + "HHI4s", order + "I"
    (start,) = struct.unpack_from(link, content, where)
    (count,) = struct.unpack_from(number, content, start)
    first, size = start + struct.calcsize(number), struct.calcsize(entry)
    if first + count * size > len(content):
        return content
    kept, orientation = [], None
    for at in range(first, first + count * size, size):
        tag, kind, length, value = struct.unpack_from(entry, content, at)
        if tag in PIXEL_TAGS:
            kept.append((tag, kind, length, value))
        elif tag == ORIENTATION:
            orientation = _legible(order, kind, length, value) or orientation
        elif tag == TIFF_XMP:
            (place,) = struct.unpack_from(link, value)
            orientation = orientation or _xmp_orientation(content[place : place + length])
    if orientation:
        value = struct.pack(order + "H", orientation)
        kept = sorted([*kept, (ORIENTATION, SHORT, 1, value)], key=lambda x: x[0])
    directory = [struct.pack(number, len(kept)), *(struct.pack(entry, *x) for x in kept)]
    written = b"".join([*directory, struct.pack(link, 0)])
    return content[:start] + written + content[start + len(written) :]


def _webp(content: bytes) -> bytes:
    kept, exif, xmp, at = [], b"", b"", 12
    (length,) = struct.unpack_from("<I", content, 4)
    content = content[: 8 + length]  # later bytes are not part of the picture
    while at < len(content) - 1:
        kind, length = struct.unpack_from("<4sI", content, at)
        end = at + 8 + length + length % 2
        if at + 8 + length > len(content):
            return content
        if kind == b"EXIF":
            exif = exif or content[at + 8 : at + 8 + length]
        elif kind == b"XMP ":
            xmp = xmp or content[at + 8 : at + 8 + length]
        else:
            kept.append(content[at:end])
        at = end
    if orientation := _exif_orientation(exif) or _xmp_orientation(xmp):
        kept.append(struct.pack("<4sI", b"EXIF", 26) + _exif(orientation))
        if kept[0].startswith(b"VP8X"):
            kept[0] = kept[0][:8] + bytes([kept[0][8] | WEBP_HAS_EXIF]) + kept[0][9:]
    chunks = b"".join([b"WEBP", *kept])
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def _psd(content: bytes) -> bytes:
    (colours,) = struct.unpack_from(">I", content, 26)
    (resources,) = struct.unpack_from(">I", content, 30 + colours)
    return content[: 30 + colours] + bytes(4) + content[34 + colours + resources :]


def _jpeg2000(content: bytes) -> bytes:
    head, codestream, rest = content.partition(b"jp2c")
    return head.replace(b"res ", b"free") + codestream + rest


def _exif(orientation: int) -> bytes:
    """EXIF data that contains only an orientation: 26 bytes."""
    head = struct.pack(">2sHIH", b"MM", 42, 8, 1)
    return head + struct.pack(">HHIHHI", ORIENTATION, SHORT, 1, orientation, 0, 0)


def _exif_orientation(exif: bytes) -> int | None:
    """The orientation, 1 to 8, in EXIF data; None if it is missing or can't be read."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, start)
        for tag, *value in _entries(exif, order, start + 2, count):
            if tag == ORIENTATION:
                return _legible(order, *value)
    except struct.error:  # the data are incomplete
        pass
    return None


def _entries(exif: bytes, order: str, at: int, count: int) -> Iterator[tuple]:
    """Tag, type, length and value of each entry of a directory."""
    for _ in range(count):
        yield struct.unpack_from(order + "HHI4s", exif, at)
        at += 12


def _legible(order: str, kind: int, length: int, value: bytes) -> int | None:
    """The orientation in a tag; None if it is not an integer from 1 to 8."""
    if kind not in WHOLE or length != 1:
        return None
    (orientation,) = struct.unpack_from(order + WHOLE[kind], value)
    return orientation if 1 <= orientation <= 8 else None


def _xmp_orientation(xmp: bytes) -> int | None:
    found = XMP_ORIENTATION.search(xmp)
    return int(found[1]) if found else None
