"""Damage beside a picture's pixels is harmless, and the camera's orientation is kept."""

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from fcvg_core.standalone.media.picture_metadata import without_metadata
from fcvg_core.standalone.media.pictures import read_frame

PIXELS = np.random.RandomState(0).randint(0, 256, (24, 40, 3)).astype(np.uint8)
FORMATS = ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"]
# Bytes that are no EXIF: nothing, text, and directories that end or point beyond it.
BROKEN_EXIF = {
    "empty": b"",
    "text": b"hello, this is a text",
    "cut": b"MM\0*\0\0\0\x08\0",
    "far": b"II*\0\xff\xff\xff\x7f",
    "endless": b"MM\0*\0\0\0\x08\xff\xff" + bytes(range(256)) * 4,
}


def saved(kind: str, *, pixels: np.ndarray = PIXELS, **more) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **more)
    return file.getvalue()


def exif_with(*entries: tuple) -> bytes:
    """EXIF of entries (tag, type, count, four bytes)."""
    table = b"".join(struct.pack(">HHI4s", *entry) for entry in entries)
    return struct.pack(">2sHIH", b"MM", 42, 8, len(entries)) + table + bytes(4)


def orientation(value: int, *, kind: int = 3) -> tuple:
    form = {3: ">HH", 4: ">I"}[kind]
    return 0x0112, kind, 1, struct.pack(form, *(value, 0)[: len(form) - 1])


def png_with(*sections: tuple[bytes, bytes], flaw: int = 0) -> bytes:
    """A PNG with further sections (kind, content) after its head; a flaw spoils their checksums."""
    content = saved("PNG")
    made = [
        struct.pack(">I4s", len(data), kind)
        + data
        + struct.pack(">I", zlib.crc32(kind + data) ^ flaw)
        for kind, data in sections
    ]
    return content[:33] + b"".join(made) + content[33:]


def jpeg_with(*segments: tuple[int, bytes]) -> bytes:
    content = saved("JPEG")
    made = [struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data for marker, data in segments]
    return content[:2] + b"".join(made) + content[2:]


def tiff_with(*tags: tuple, big: bool = False) -> bytes:
    """A TIFF whose directory has further tags (tag, type, count, value of four bytes)."""
    content = saved("TIFF", big_tiff=big)
    order = "<" if content.startswith(b"II") else ">"
    where, head, entry, link = (8, "Q", "HHQ8s", "Q") if big else (4, "H", "HHI4s", "I")
    (start,) = struct.unpack_from(order + link, content, where)
    (count,) = struct.unpack_from(order + head, content, start)
    first, size = start + struct.calcsize("<" + head), struct.calcsize("<" + entry)
    found = [struct.unpack_from(order + entry, content, first + i * size) for i in range(count)]
    table = sorted([*found, *tags], key=lambda x: x[0])
    directory = struct.pack(order + head, len(table))
    directory += b"".join(struct.pack(order + entry, *x) for x in table) + bytes(8)
    content += bytes(len(content) % 2)
    pointer = struct.pack(order + link, len(content))
    return content[:where] + pointer + content[where + len(pointer) :] + directory


def read(tmp_path, content: bytes) -> np.ndarray:
    (tmp_path / "picture").write_bytes(content)
    return read_frame(tmp_path / "picture")


class TestOrientation:
    @pytest.mark.parametrize("value", range(1, 9))
    @pytest.mark.parametrize("kind", FORMATS)
    def test_every_way(self, tmp_path, kind, value):
        upright = read(tmp_path, saved(kind))
        exif = Image.Exif()
        exif[0x0112] = value
        turned = read(tmp_path, saved(kind, exif=exif))
        picture = Image.fromarray(upright)
        picture.getexif()[0x0112] = value
        assert np.array_equal(turned, np.asarray(ImageOps.exif_transpose(picture)))
        assert turned.shape[:2] == ((24, 40) if value < 5 else (40, 24))

    @pytest.mark.parametrize("make", ["exif", "xmp", "both"])
    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
    def test_where_it_is_said(self, tmp_path, kind, make):
        """In EXIF beside broken entries, in XMP alone, and in XMP where EXIF's is of no use."""
        broken = (0x010F, 2, 2**31, b"\xff\xff\xff\xff"), (0x011A, 5, 1, b"\xff\xff\xff\xff")
        exif = b"Exif\0\0" + exif_with(*broken, orientation(6 if make == "exif" else 99))
        xmp = b'<x tiff:Orientation="6"/>'
        given = {} if make == "xmp" else {"exif": exif}
        if make != "exif" and kind == "PNG":
            given["pnginfo"] = PngImagePlugin.PngInfo()
            given["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp, zip=True)
        elif make != "exif":
            given["xmp"] = xmp
        assert read(tmp_path, saved(kind, **given)).shape == (40, 24, 3)

    def test_as_imagemagick_writes_it(self, tmp_path):
        exif = exif_with(orientation(8, kind=4))
        text = f"\nexif\n{len(exif):8}\n{exif.hex()}\n".encode()
        packed = b"Raw profile type exif\0\0" + zlib.compress(text)
        assert read(tmp_path, png_with((b"zTXt", packed))).shape == (40, 24, 3)

    @pytest.mark.parametrize("kind", "bhHiI")
    def test_whole_numbers_of_every_type(self, tmp_path, kind):
        types = {"H": 3, "I": 4, "b": 6, "h": 8, "i": 9}
        entry = 0x0112, types[kind], 1, struct.pack(f">{kind}", 6).ljust(4, b"\0")
        content = jpeg_with((0xE1, b"Exif\0\0" + exif_with(entry)))
        assert read(tmp_path, content).shape == (40, 24, 3)

    @pytest.mark.parametrize(
        "text",
        [
            b'<x tiff:Orientation="6"/>',
            b"<x tiff:Orientation = '6'/>",
            b"<tiff:Orientation>6</tiff:Orientation>",
            b"<tiff:Orientation >\n 6\n</tiff:Orientation>",
        ],
    )
    def test_as_programs_write_xmp(self, tmp_path, text):
        content = jpeg_with((0xE1, b"http://ns.adobe.com/xap/1.0/\0" + text))
        assert read(tmp_path, content).shape == (40, 24, 3)

    @pytest.mark.parametrize(
        "entry",
        [
            orientation(0),
            orientation(9),
            orientation(99),
            (0x0112, 2, 2, b"6\0\0\0"),
            (0x0112, 5, 1, b"\0\0\0\x08"),
            (0x0112, 3, 2, b"\0\x06\0\x06"),
            (0x0112, 99, 1, b"\0\6\0\0"),
        ],
    )
    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
    def test_what_is_none(self, tmp_path, kind, entry):
        content = saved(kind, exif=b"Exif\0\0" + exif_with(entry))
        assert np.array_equal(read(tmp_path, content), read(tmp_path, saved(kind)))

    @pytest.mark.parametrize("big", [False, True])
    def test_tiff(self, tmp_path, big):
        value = struct.pack("<H6x" if big else "<H2x", 6)
        content = tiff_with((0x0112, 3, 1, value), big=big)
        assert np.array_equal(read(tmp_path, content), np.rot90(PIXELS, -1))
        for kind, count in ((2, 1), (3, 2), (5, 1), (99, 1)):  # not legible
            content = tiff_with((0x0112, kind, count, value), big=big)
            assert np.array_equal(read(tmp_path, content), PIXELS)


class TestDamage:
    @pytest.mark.parametrize("exif", BROKEN_EXIF.values(), ids=BROKEN_EXIF)
    @pytest.mark.parametrize("kind", FORMATS)
    def test_exif(self, tmp_path, kind, exif):
        content = {
            "PNG": lambda: png_with((b"eXIf", exif)),
            "JPEG": lambda: jpeg_with((0xE1, b"Exif\0\0" + exif)),
            "WEBP": lambda: saved("WEBP", exif=exif),
            "TIFF": lambda: tiff_with((34665, 4, 1, (exif + bytes(4))[:4])),
            "AVIF": lambda: _in_place_of_exif(exif),
        }[kind]()
        assert np.array_equal(read(tmp_path, content), read(tmp_path, saved(kind)))

    @pytest.mark.parametrize(
        "section",
        [
            (b"zTXt", b"workflow\0\0" + zlib.compress(bytes(2**21))),
            (b"iTXt", b"prompt\0\1\0\0\0" + zlib.compress(bytes(2**21))),
            (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(bytes(2**21))),
            (b"zTXt", b"Comment\0\7no such method"),
            (b"zTXt", b""),
            (b"tEXt", b"\0"),
            (b"tEXt", b"Raw profile type exif\0exif 8 no digits"),
            (b"iTXt", b"XML:com.adobe.xmp\0\1"),
            (b"iCCP", b"profile\0\0" + zlib.compress(bytes(2**21))),
            (b"iCCP", b"profile\0\0no zlib"),
            (b"iCCP", b"profile\0\7"),
            (b"iCCP", b""),
            (b"pHYs", b"12"),
            (b"gAMA", b""),
            (b"cHRM", b"1"),
            (b"sRGB", b""),
            (b"tRNS", b"\0"),
            (b"acTL", b"\0" * 8),
            (b"acTL", b""),
            (b"fcTL", b"\xff" * 26),
            (b"fdAT", b""),
            (b"zzZz", b"nobody knows"),
        ],
        ids=lambda section: f"{section[0].decode()}-{len(section[1])}",
    )
    @pytest.mark.parametrize("flaw", [0, 1])
    def test_png(self, tmp_path, section, flaw):
        assert np.array_equal(read(tmp_path, png_with(section, flaw=flaw)), PIXELS)

    def test_many_texts_of_a_png(self, tmp_path):
        packed = b"a\0\0" + zlib.compress(bytes(2**20))
        content = png_with(*[(b"zTXt", packed)] * 80)
        assert np.array_equal(read(tmp_path, content), PIXELS)

    @pytest.mark.parametrize(
        "segment",
        [
            (0xE0, b"JFIF\0"),
            (0xE1, b"Exif\0\0MM\0*"),
            (0xE1, b"http://ns.adobe.com/xap/1.0/\0\xff"),
            (0xE2, b"MPF\0MM\0*\0\0\0\x08\xff\xff"),
            (0xE2, b"ICC_PROFILE\0"),
            (0xE2, b"FPXR\0"),
            (0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\xff\xff\xff\xff"),
            (0xEE, b"Adobe"),
            (0xFE, b"\xff" * 9),
            (0xEF, b""),
        ],
    )
    def test_jpeg(self, tmp_path, segment):
        assert np.array_equal(read(tmp_path, jpeg_with(segment)), read(tmp_path, saved("JPEG")))

    @pytest.mark.parametrize("big", [False, True])
    @pytest.mark.parametrize("tag", [270, 282, 296, 306, 330, 700, 33723, 34377, 34675, 65000])
    def test_tiff(self, tmp_path, tag, big):
        """Of a type that is none there, and of more bytes than the file has."""
        value = b"\xff" * (8 if big else 4)
        for kind, count in ((2, 4), (5, 1), (7, 2**31), (99, 1), (12, 2**30)):
            content = tiff_with((tag, kind, count, value), big=big)
            assert np.array_equal(read(tmp_path, content), PIXELS)

    def test_photoshop(self, tmp_path):
        head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 24, 40, 8, 3) + bytes(4)
        tail = bytes(4) + bytes(2) + PIXELS.transpose(2, 0, 1).tobytes()
        content = head + struct.pack(">I", 5) + b"8BIM\0" + tail
        assert np.array_equal(read(tmp_path, content), PIXELS)

    def test_jpeg_2000(self, tmp_path):
        content = saved("JPEG2000")
        start = content.index(b"jp2h") - 4
        (size,) = struct.unpack_from(">I", content, start)
        broken = struct.pack(">I4s", 16, b"res ") + struct.pack(">I4s", 8, b"resc")
        grown = struct.pack(">I", size + len(broken)) + content[start + 4 : start + size] + broken
        content = content[:start] + grown + content[start + size :]
        assert np.array_equal(read(tmp_path, content), PIXELS)


def _in_place_of_exif(exif: bytes) -> bytes:
    """An AVIF whose EXIF is overwritten."""
    made = Image.Exif()
    made[0x010E] = "a description that is long enough for what is written over it" * 20
    content, made = saved("AVIF", exif=made), made.tobytes().removeprefix(b"Exif\0\0")
    start = content.index(made)
    return content[:start] + exif.ljust(len(made), b"\xff") + content[start + len(made) :]


class TestWithoutMetadata:
    @pytest.mark.parametrize("kind", [*FORMATS, "MPO", "JPEG2000"])
    def test_pixels_are_as_they_were(self, kind):
        content = saved(kind)
        before, after = (Image.open(io.BytesIO(x)) for x in (content, without_metadata(content)))
        assert before.mode == after.mode
        assert np.array_equal(np.asarray(before), np.asarray(after))

    @pytest.mark.parametrize("kind", ["GIF", "BMP", "TGA", "ICO", "PPM"])
    def test_other_formats_come_back(self, kind):
        assert without_metadata(saved(kind)) == saved(kind)

    @pytest.mark.parametrize("mode", ["CMYK", "L"])
    def test_colours_of_a_jpeg(self, tmp_path, mode):
        """The segments that say how they are coded stay."""
        file = io.BytesIO()
        Image.fromarray(PIXELS).convert(mode).save(file, "JPEG")
        frame = read(tmp_path, file.getvalue())
        assert np.array_equal(frame, np.asarray(Image.open(file).convert("RGB")))

    @pytest.mark.parametrize("kind", FORMATS)
    def test_a_part_of_a_file(self, kind):
        content = saved(kind)
        for end in range(0, len(content), max(len(content) // 50, 1)):
            with contextlib.suppress(ValueError):  # a JPEG without pixels
                assert isinstance(without_metadata(content[:end]), bytes)

    def test_wrong_pixels_of_a_png(self):
        content = bytearray(saved("PNG"))
        content[content.index(b"IDAT") + 100] ^= 1
        with pytest.raises(ValueError, match="checksum of its section b'IDAT'"):
            without_metadata(bytes(content))
