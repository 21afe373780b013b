"""Configuration files of official code."""

import pytest

from fcvg_core.errors import UserError
from fcvg_core.standalone.media.official_config import read_config, read_model_config


def test_parameters_of_the_model(tmp_path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("model:\n  target: lvdm\n  params:\n    base_scale: 0.3\n    x: 'v'\ndata: 5\n")
    assert read_model_config(path) == {"base_scale": 0.3, "x": "v"}


@pytest.mark.parametrize("text", ["", "5", "[1]", "model: 5", "model: {params: [1]}", "data: {}"])
def test_files_that_say_nothing(tmp_path, text) -> None:
    (tmp_path / "a.yaml").write_text(text)
    assert read_model_config(tmp_path / "a.yaml") == {}


def test_all_values(tmp_path) -> None:
    for text, values in (("a: 1\nb: {c: [d]}", {"a": 1, "b": {"c": ["d"]}}), ("- 1", {})):
        (tmp_path / "a.yaml").write_text(text)
        assert read_config(tmp_path / "a.yaml") == values


@pytest.mark.parametrize(
    "content",
    [b"a: [", b"a:\n\tb", b"\xff", b"!!python/object:os.system {}", b"[" * 10_000, b"\0"],
)
def test_files_that_are_no_yaml(tmp_path, content) -> None:
    (tmp_path / "a.yaml").write_bytes(content)
    with pytest.raises(UserError, match=r"a.yaml can't be read as YAML .*leave --config out"):
        read_model_config(tmp_path / "a.yaml")


def test_a_file_that_is_too_large(tmp_path) -> None:
    (tmp_path / "a.yaml").write_bytes(b" " * (2**20 + 1))
    with pytest.raises(UserError, match="has more than 1 MiB; expected a configuration"):
        read_model_config(tmp_path / "a.yaml")
