"""A clip's file: what it keeps, and how it is seen that it is damaged."""

import pytest
import torch
from training_cases import random

from fcvg_core.errors import UserError
from fcvg_core.training.data.cache import Contents, cache_key, load_contents, save_contents
from fcvg_core.training.data.encoded import EncodedClip

CONTENTS = Contents(
    EncodedClip(
        mean=random(0, 3, 4, 2, 2),
        deviation=random(1, 3, 4, 2, 2).abs(),
        at=(0, 2),
        embeddings=random(2, 2, 1, 8),
        pictures=random(3, 2, 2, 4, 2, 2),
    ),
    {"control 0000": torch.arange(5, dtype=torch.uint8), "weights": random(4, 3, 1, 2, 2)},
    {"motion": '{"a": "\u00fc"}'},
)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "clip.safetensors"
    save_contents(path, CONTENTS)
    return path


def test_a_file_gives_back_what_was_written(path):
    found = load_contents(path, verify=True)
    assert found.texts == CONTENTS.texts and found.encoded.at == (0, 2)
    assert found.tensors.keys() == CONTENTS.tensors.keys()
    for name, tensor in CONTENTS.tensors.items():
        assert torch.equal(found.tensors[name], tensor)
    assert torch.equal(found.encoded.embeddings, CONTENTS.encoded.embeddings)
    for name in ("mean", "deviation", "pictures"):
        expected = getattr(CONTENTS.encoded, name)
        assert torch.equal(getattr(found.encoded, name), expected.half())
    assert found.encoded.images((1,), None)[0].latent.dtype == torch.float32
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_one_changed_byte_is_seen(path):
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    load_contents(path)
    with pytest.raises(UserError, match="missing or damaged"):
        load_contents(path, verify=True)


@pytest.mark.parametrize("damage", [lambda x: x[:-1], lambda x: b"", lambda x: b"{}" + x])
def test_a_damaged_file(path, damage):
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=r"clip.safetensors, a file of the cache.*start again"):
        load_contents(path)


def test_a_file_of_something_else(path):
    from safetensors.torch import save_file

    save_file({"mean": torch.zeros(2)}, path)
    with pytest.raises(UserError, match="a file of the cache"):
        load_contents(path)
    with pytest.raises(UserError, match="a file of the cache"):
        load_contents(path.with_name("gone.safetensors"))


def test_a_key_does_not_depend_on_the_order():
    assert cache_key({"a": 1, "b": [2]}) == cache_key({"b": [2], "a": 1}) != cache_key({"a": 1})
