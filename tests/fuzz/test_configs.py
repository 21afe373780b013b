"""Whatever SVD's config files hold, the answer is values that fit or one sentence."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcvg_core.errors import UserError
from fcvg_core.models.svd.configs import IMAGE_ENCODER, INDEX, UNET, VAE
from fcvg_core.standalone.networks.loading import check_svd

FILES = {"model_index.json": INDEX, "unet/config.json": UNET, "vae/config.json": VAE,
         "image_encoder/config.json": IMAGE_ENCODER}  # fmt: skip
NUMBERS = st.sampled_from([0, 1, 2, 4, 5, 8, 16, 64, 224, 256, 320, 768, 1024, 1280, 2.0, 0.18215])
SCALARS = st.none() | st.booleans() | NUMBERS | st.integers() | st.floats() | st.text(max_size=9)
RIGHT = [rule.default for rules in FILES.values() for rule in rules.values()]
VALUES = st.recursive(
    SCALARS | st.sampled_from(RIGHT),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """SVD's folder with config files that say nothing."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    return tmp_path


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
def test_values(folder: Path, name: str, data: st.DataObject) -> None:
    keys = st.sampled_from([*FILES[name], "more"])
    values = data.draw(st.dictionaries(keys, VALUES, max_size=4))
    answer(folder, name, json.dumps(values).encode())


@pytest.mark.parametrize("name", FILES)
@given(content=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_contents(folder: Path, name: str, content: bytes) -> None:
    answer(folder, name, content)


def answer(folder: Path, name: str, content: bytes) -> None:
    """SVD's folder with another content of one file is right, or this file is named."""
    (folder / name).write_bytes(content)
    try:
        check_svd(folder)
    except UserError as error:
        assert str(folder / name) in str(error) and len(str(error)) < 1000
