"""The dry run: all faults of all rows, before any model is loaded."""

import json

import plan_cases
import pytest
from plan_cases import MemoryStore, copy_mode

from fcvg_core.batch.manifest import read_manifest
from fcvg_core.batch.planning.check import CHUNK, check_all
from fcvg_core.batch.planning.hashes import Hashes
from fcvg_core.batch.planning.plan import make_plan
from fcvg_core.errors import UserError


def plan_of(folder, rows: list[dict]):
    path = folder / "m.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    store = MemoryStore()
    more = {"mode": "copy", "settings": {}, "hashes": Hashes(store)}
    return make_plan(read_manifest(str(path)), copy_mode(), store=store, **more)


@pytest.fixture
def rows(tmp_path) -> list[dict]:
    (tmp_path / "good").write_bytes(b"picture")
    (tmp_path / "bad").write_bytes(b"text")
    return [
        {"id": "p", "first": "bad"},
        {"id": "q", "first": "good"},
        {"id": "r", "first": "none"},
        {"id": "s", "steps": 0},
        {"id": "t"},
    ]


def said(faults) -> list[tuple]:
    return [(fault.line, fault.id, fault.message) for fault in faults]


def expected(folder) -> list[tuple]:
    return [
        (1, "p", f"{folder / 'bad'} is no picture."),
        (3, "r", f"There is no file {folder / 'none'}."),
        (4, "s", "steps is 0: expected a whole number from 1 to 100."),
        (5, "t", "A picture is needed."),
    ]


def test_finds_every_fault(rows, tmp_path):
    plan = plan_of(tmp_path, rows)
    faults = check_all(plan)
    assert said(faults) == expected(tmp_path)
    assert [str(fault) for fault in plan.faults] == [
        f"line 3: r: There is no file {tmp_path / 'none'}.",
        "line 4: s: steps is 0: expected a whole number from 1 to 100.",
    ]
    assert all(fault.name == f"{fault.id}-{fault.key[:12]}" for fault in faults)


def test_finds_every_fault_in_processes(rows, tmp_path):
    rows += [{"id": f"more{number}", "first": "good"} for number in range(3 * CHUNK)]
    assert said(check_all(plan_of(tmp_path, rows), processes=2)) == expected(tmp_path)


def test_a_process_that_is_killed(tmp_path):
    rows = [{"id": f"p{number}", "prompt": "die"} for number in range(CHUNK + 1)]
    with pytest.raises(UserError, match="A process that reads the inputs was killed"):
        check_all(plan_of(tmp_path, rows), processes=1)


def test_remote_inputs_are_opened(tmp_path, memory):
    memory.pipe({"/k/good": b"picture", "/k/bad": b"text"})
    rows = [{"id": name, "first": f"memory://k/{name}"} for name in ("good", "bad")]
    (fault,) = check_all(plan_of(tmp_path, rows))
    assert fault.id == "bad" and fault.message.endswith("is no picture.")


def test_a_fault_of_the_program_is_no_fault_of_a_row(rows, tmp_path, monkeypatch):
    def fail(work):
        raise ZeroDivisionError

    monkeypatch.setattr(plan_cases.CopyWork, "check", fail)
    with pytest.raises(ZeroDivisionError):
        check_all(plan_of(tmp_path, rows))
