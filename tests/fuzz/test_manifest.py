"""Manifests of any content: rows that can be read, or one message with all their lines."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutation import damaged, json_values

from fcvg_core.batch.manifest import ManifestError, read_manifest
from fcvg_core.batch.planning.hashes import Hashes
from fcvg_core.batch.planning.plan import make_plan
from fcvg_core.errors import UserError
from fcvg_core.folder_names import id_fault
from fcvg_core.standalone.cli.table import batch_modes
from fcvg_core.standalone.spec import RunSpec

GOOD = (
    {"id": "one", "first": "a.png", "last": "b.png"},
    {"id": "two", "keyframes": "a.png;b.png;c.png", "at": "0,24,60", "mode": "preview"},
    {"id": "three", "images": "a.png", "prompt": "a boat; waves", "mode": "dynamicrafter"},
    {"id": "four", "image": "a.png", "video": "memory://bucket/v.mp4", "mode": "animate"},
)
COLUMNS = sorted({name for row in GOOD for name in row} | {"steps", "seed", "fast", "poses"})
JSONL = "".join(json.dumps(row) + "\n" for row in GOOD).encode()
NAMES = st.sampled_from([*COLUMNS, "line-width", "output", "run", "stpes", "--fps"]) | st.text()
CELLS = st.sampled_from(
    [
        "",
        "a.png",
        "-1",
        "7",
        "1e3",
        "nan",
        "true",
        "a;b",
        ";",
        "../x",
        "memory://a/b",
        "a\0b",
        "x" * 5000,
    ]
) | st.text(max_size=20)
VALUES = json_values(COLUMNS) | CELLS


def table_of(rows: list[dict]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


class NoStore:
    """A store that has nothing."""

    address = "OUT"

    def names(self, folder: str) -> list[str]:
        return []

    def done(self) -> set[str]:
        return set()


def check(path: Path) -> None:
    """The rows can be planned; a row that can't be done has a message."""
    try:
        manifest = read_manifest(str(path), batch_modes())
    except ManifestError as error:
        assert len(str(error)) < 25 * 400 and error.faults
        assert all(re.match("line [0-9]+|it ", fault) for fault in error.faults)
        return
    assert manifest.rows and not any(id_fault(row.id) for row in manifest.rows)
    more = {"mode": "inbetween", "settings": {}, "hashes": Hashes(None)}
    try:
        plan = make_plan(manifest, batch_modes(), store=NoStore(), **more)
    except UserError as error:  # a bucket that is not there
        assert "://" in str(error)
        return
    assert len(plan.tasks) + len(plan.faults) == plan.total == len(manifest.rows)
    assert all(0 < len(fault.message) < 5000 for fault in plan.faults)


@given(damaged(JSONL))
def test_damaged_lines(tmp_path, content) -> None:
    (tmp_path / "m.jsonl").write_bytes(content)
    check(tmp_path / "m.jsonl")


@given(damaged(table_of(list(GOOD))))
def test_damaged_tables(tmp_path, content) -> None:
    (tmp_path / "m.csv").write_bytes(content)
    check(tmp_path / "m.csv")


@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=3), min_size=1, max_size=2))
def test_lines_of_any_values(tmp_path, rows) -> None:
    text = "".join(
        json.dumps({"id": f"p{i}", "first": "a", "last": "b"} | row) + "\n"
        for i, row in enumerate(rows)
    )
    (tmp_path / "m.jsonl").write_text(text, "utf-8")
    check(tmp_path / "m.jsonl")


@pytest.mark.parametrize("mode", sorted(batch_modes()))
@given(st.dictionaries(NAMES, CELLS, max_size=4), st.booleans())
def test_rows_of_any_cells(mode, table: dict[str, Any], as_settings: bool) -> None:
    read = batch_modes()[mode].read
    try:
        spec = read({}, typed=True, settings=table) if as_settings else read(table, typed=True)
    except UserError as error:
        assert 0 < len(str(error)) < 5000
        return
    assert isinstance(spec, RunSpec)
    assert type(spec).from_json(json.loads(json.dumps(spec.to_json()))) == spec
