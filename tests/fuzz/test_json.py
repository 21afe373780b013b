"""A JSON file, whatever is in it: values of JSON, or one sentence with the file's name."""

import math

from hypothesis import given
from hypothesis import strategies as st
from mutation import as_json, damaged, json_values

from fcvg_core.errors import UserError
from fcvg_core.files.json_file import read_json

GOOD = b'{"seed": 18446744073709551615, "size": [64, 1.5e3], "name": "\\u00e9", "more": null}'
LETTERS = '[]{}",:0123456789eE+-. \nulltrefas'


@given(st.data())
def test_any_values(tmp_path, data):
    read(tmp_path / "some.json", as_json(data.draw, data.draw(json_values(["a", "b"]))))


@given(st.data())
def test_damaged_files(tmp_path, data):
    read(tmp_path / "some.json", data.draw(damaged(GOOD)))


@given(st.one_of(st.binary(), st.text(alphabet=LETTERS).map(str.encode)))
def test_anything(tmp_path, content):
    read(tmp_path / "some.json", content)


@given(st.sampled_from(["[", '{"a":', "[[", '[{"a":[']), st.integers(1, 200_000))
def test_nested_ever_deeper(tmp_path, opening, depth):
    read(tmp_path / "some.json", (opening * depth).encode())


def read(path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        value = read_json(path, expected="a table")
    except UserError as error:
        assert str(path) in str(error) and "expected a table" in str(error)
        assert len(str(error)) < 500 + len(str(path))
        return
    check(value)


def check(value) -> None:
    if isinstance(value, dict):
        assert all(isinstance(key, str) for key in value)
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            check(inner)
    else:
        assert value is None or isinstance(value, (bool, int, float, str))
        assert not isinstance(value, float) or not math.isinf(value)
        assert not isinstance(value, int) or abs(value) < 2**64
