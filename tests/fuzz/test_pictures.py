"""A picture file, whatever is in it: a frame, or one sentence with the file's name."""

import functools
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutation import damaged, read_or_refuse
from PIL import Image

from fcvg_core.standalone.media.pictures import read_frame

pytestmark = pytest.mark.filterwarnings("error")
PIXELS = np.random.RandomState(0).randint(0, 256, (9, 14, 3)).astype(np.uint8)
# Format, mode and settings of PIL.
FILES = {
    "png": ("PNG", "RGB", {}),
    "png-palette": ("PNG", "P", {"transparency": bytes(range(256))}),
    "jpeg": ("JPEG", "RGB", {}),
    "jpeg-cmyk": ("JPEG", "CMYK", {"progressive": True}),
    "mpo": ("MPO", "RGB", {}),
    "webp": ("WEBP", "RGB", {"lossless": True}),
    "avif": ("AVIF", "RGB", {}),
    "tiff": ("TIFF", "RGB", {"dpi": (72, 72)}),
    "tiff-lzw": ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    "tiff-big": ("TIFF", "F", {"big_tiff": True}),
    "gif": ("GIF", "P", {}),
    "bmp": ("BMP", "RGB", {}),
    "tga": ("TGA", "RGB", {"compression": "tga_rle"}),
    "ico": ("ICO", "RGB", {}),
    "ppm": ("PPM", "RGB", {}),
    "dds": ("DDS", "RGB", {}),
    "blp": ("BLP", "P", {}),
    "jpeg2000": ("JPEG2000", "RGB", {}),
}

# Formats whose metadata is cut out before PIL sees them.
REWRITTEN = ["png", "jpeg", "webp", "avif", "tiff", "tiff-big", "jpeg2000"]


@functools.cache
def valid(name: str) -> bytes:
    """A small picture with an orientation, where the format has one."""
    kind, mode, settings = FILES[name]
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x011A] = 6, "maker", 72.0
    more = {"exif": exif} if kind in ("PNG", "JPEG", "MPO", "WEBP", "AVIF", "TIFF") else {}
    Image.fromarray(PIXELS).convert(mode).save(file, kind, **settings, **more)
    return file.getvalue()


@pytest.mark.parametrize("name", REWRITTEN)
@given(data=st.data())
def test_a_damaged_picture(tmp_path, name, data):
    read(tmp_path / "some.picture", data.draw(damaged(valid(name))))


@given(name=st.sampled_from(sorted(set(FILES) - set(REWRITTEN))), data=st.data())
def test_a_damaged_picture_of_another_format(tmp_path, name, data):
    read(tmp_path / "some.picture", data.draw(damaged(valid(name))))


@given(st.sampled_from(sorted(FILES)), st.binary(max_size=200))
def test_a_head_and_anything(tmp_path, name, rest):
    read(tmp_path / "some.picture", valid(name)[:12] + rest)


def read(path, content: bytes) -> None:
    frame = read_or_refuse(path, content, read_frame)
    assert frame is None or frame.ndim == 3 and frame.shape[2] == 3 and frame.dtype == np.uint8
