"""Paths and splines as JSON, whatever is in them: paths that can be followed, or one sentence."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mutation import as_json, changed, damaged, json_values, read_or_refuse

from fcvg_core.files.json_file import read_json
from fcvg_core.paths import format_paths, parse_paths, path_strokes, read_kj_splines

pytestmark = pytest.mark.filterwarnings("error")
POINTS = [{"x": x, "y": x * x / 9} for x in range(0, 50, 7)]
ROWS = [
    {"id": 3, "points": [[1, 2], [3, 4.5], [5, 6], [7, 8]], "speed": "ease-in", "locked": True},
    {"points": [[1, 2]], "speed": [0, 0.5, 1]},
]
KEYS = ["id", "points", "speed", "x", "y"]


def read_rows(path: Path):
    return parse_paths(read_json(path, expected="paths"), str(path))


def read_splines(path: Path):
    return read_kj_splines(path.read_bytes(), str(path), max_error=1.0)


KINDS = {"rows": (ROWS, read_rows), "splines": ([POINTS, POINTS[:1]], read_splines)}
every_kind = pytest.mark.parametrize("name", KINDS)


def read(path: Path, name: str, content: bytes) -> None:
    """Paths that are read can be followed, and written and read again."""
    paths = read_or_refuse(path, content, KINDS[name][1])
    if paths is None:
        return
    strokes = path_strokes(paths, torch.linspace(0, 1, 5), 16)
    assert strokes.shape == (5, len(paths), 2, 2) and strokes.isfinite().all()
    rows = format_paths(paths)
    again = parse_paths(json.loads(json.dumps(rows)), "x")
    assert json.dumps(format_paths(again)) == json.dumps(rows)


@every_kind
@given(data=st.data())
def test_changed_values(tmp_path, name, data):
    read(tmp_path / "x.json", name, as_json(data.draw, data.draw(changed(KINDS[name][0]))))


@given(data=st.data())
def test_other_values(tmp_path, data):
    content = as_json(data.draw, data.draw(json_values(KEYS)))
    for name in KINDS:
        read(tmp_path / "x.json", name, content)


@every_kind
@given(data=st.data())
def test_damaged_files(tmp_path, name, data):
    good = json.dumps(KINDS[name][0]).encode()
    read(tmp_path / "x.json", name, data.draw(damaged(good)))
