"""Training files: what they say, and what is said of a wrong one."""

from pathlib import Path

import pytest

from fcvg_core.errors import UserError
from fcvg_core.training.config import TrainingSpec, read_config, to_tables

TEXT = """\
job = "animate"
output = "runs/dance"

[data]
manifest = "clips/list.jsonl"  # a comment
width = 256
height = 64

[conditions]
timing = [0.0, 0.5, 1]
people = false

[training]
steps = 1_000
unet_rate = 1

[validation]
steps = 3
"""


@pytest.fixture
def write(tmp_path):
    def write(text: str | bytes) -> Path:
        path = tmp_path / "mine.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_what_a_file_says_and_what_it_leaves_out(write, tmp_path):
    spec = read_config(write(TEXT))
    assert (spec.job, spec.data.size, spec.training.steps) == ("animate", (64, 256), 1000)
    assert spec.conditions.timing == (0.0, 0.5, 1.0) and not spec.conditions.people
    assert spec.validation.steps == 3 and spec.saving == TrainingSpec().saving
    assert spec.output == tmp_path / "runs" / "dance"
    assert spec.data.manifest == tmp_path / "clips" / "list.jsonl" and spec.data.cache is None


def test_an_empty_file_has_all_defaults_beside_itself(write, tmp_path):
    spec = read_config(write("\ufeff"))  # an editor of Windows begins files so
    assert spec.data.manifest == tmp_path / "clips.jsonl" and spec.output == tmp_path / "training"
    assert spec.training == TrainingSpec().training


def test_a_file_elsewhere_keeps_its_absolute_paths(write, tmp_path):
    other = tmp_path / "elsewhere"
    spec = read_config(write(f"output = '{other}'\n[base]\nmodel = 'svd'"))
    assert spec.output == other and spec.base.model == tmp_path / "svd"


def test_tables_are_what_a_file_would_say(write):
    spec = read_config(write(TEXT))
    tables = to_tables(spec)
    assert tables["conditions"]["timing"] == [0.0, 0.5, 1.0] and tables["job"] == "animate"
    assert tables["training"]["steps"] == 1000 and tables["validation"]["steps"] == 3
    assert tables["output"] == str(spec.output)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[data]\nwidht = 64",
            r"table \[data\]: there is no field or table 'widht'. Perhaps width",
        ),
        ("[traning]\n", r"there is no field or table 'traning'. Perhaps training"),
        ("held_out = 0.1", r"'held_out'. It belongs into \[data\]"),
        ("every = 3", r"'every'. It belongs into \[saving\] or \[validation\]"),
        ("[data]\nzebra = 1", "'zebra'. There is: manifest, cache"),
        ("data = 3", r"data is 3: expected a table \[data\]"),
        ("[data]\nwidth = 100", r"table \[data\]: width is 100: expected a multiple of 64"),
        ("[training]\nsteps = '9'", r"\[training\]: steps is '9': expected a whole number from 1"),
        ("[training]\nsteps = true", "steps is True: expected a whole number"),
        ("[training]\nema = nan", "ema is nan: expected a number from 0"),
        ("[training]\nunet_rate = inf", "unet_rate is inf: expected a number"),
        ("[conditions]\npeople = 1", "people is 1: expected true or false"),
        ("[base]\nmodel = ''", "model is '': expected a path"),
        ("[base.model]\nx = 1", "model is .*: expected a path"),
        ("output = 1979-05-27", "output is .*: expected a path"),
        ('job = "dance"', "job is 'dance': expected one of inbetween, animate"),
        ("steps 3", "is not TOML: .* line 1"),
        ('[base]\nmodel = "C:\\svd"', "is not TOML.*'single quotes'"),
        ("x = " + "[" * 5000, "is not TOML"),
        (b"\xff\xfe", "is no text in UTF-8"),
        ("#" * (2**20 + 1), "more than 1 MiB"),
    ],
)
def test_a_wrong_file_is_refused(write, text, said):
    with pytest.raises(UserError, match=said) as error:
        read_config(write(text))
    assert "mine.toml" in str(error.value)


def test_no_file(tmp_path):
    with pytest.raises(UserError, match="There is no file .*none.toml"):
        read_config(tmp_path / "none.toml")
    with pytest.raises(UserError, match="is a folder"):
        read_config(tmp_path)
