"""Files of a batch's folder, whatever is in them: they are understood, or count as damaged."""

import json
import secrets
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lease_cases import Clock
from mutation import as_json, changed, damaged, json_values

from fcvg_core.batch.driver.drivers import this_process
from fcvg_core.batch.driver.leases import Leases, clean_partial
from fcvg_core.batch.driver.ledger import Ledger, read_ledger, reconcile
from fcvg_core.batch.store import open_store
from fcvg_core.batch.store.layout import begin, result_name
from fcvg_core.batch.store.local import LocalStore
from fcvg_core.errors import UserError
from fcvg_core.folder_names import id_fault

NAME = "a-000000000000"
GOOD = {
    "batch.json": {"version": 1},
    f"claims/{NAME}.0": {"driver": "other", "claim": "0123456789abcdef"},
    "drivers/other": {"count": 7, "ends_after": 15.0, "process": this_process()},
    f"results/{NAME}/record.json": {"id": "a", "name": NAME, "seed": 3, "files": {"a.mp4": 5}},
    "runs.jsonl": {"time": "2026-01-01T00:00:00Z", "name": NAME, "state": "done", "seconds": 0.5},
}
KEYS = sorted({key for value in GOOD.values() for key in value} | {"boot", "pid", "born"})


@st.composite
def contents(draw: st.DrawFn, value: dict) -> bytes:
    """A file that is nearly right, or something else."""
    kind = draw(st.sampled_from(["damaged", "changed", "any", "bytes"]))
    if kind == "damaged":
        return draw(damaged(json.dumps(value).encode()))
    if kind == "changed":
        return as_json(draw, draw(changed(value)))
    return as_json(draw, draw(json_values(KEYS))) if kind == "any" else draw(st.binary(max_size=40))


def drive(folder: Path) -> None:
    """What a driver does with such a folder; nothing but a UserError may come of it."""
    store, clock = LocalStore(folder), Clock()
    leases, ledger = Leases(store, "own", clock=clock, ends_after=15), Ledger(store, "own")
    try:
        begin(store)
    except UserError as error:
        assert len(str(error)) < 1000
    for _ in range(4):
        clock.now += 10
        leases._heartbeat.beat()
        leases._drivers.look()
        leases.take(NAME)
    leases.release(NAME)
    assert isinstance(store.record(NAME), dict | None)
    reconcile(store, ledger, leases)
    assert all(isinstance(line, dict) for line in read_ledger(store))
    assert list(read_ledger(store))[-1:] or not store.is_done(NAME)
    clean_partial(store, leases)
    leases.close()


@pytest.mark.parametrize("name", GOOD)
@given(data=st.data())
def test_any_content(tmp_path_factory, name, data):
    folder = tmp_path_factory.getbasetemp() / secrets.token_hex(8)
    store = LocalStore(folder)
    for other, value in GOOD.items():
        content = data.draw(contents(value)) if other == name else json.dumps(value).encode()
        store.write(other, content)
    drive(folder)


@given(text=st.text() | st.sampled_from(["..", ".", "a/b", "nul", "COM1.x", "a\0", "\u202e"]))
def test_any_id(tmp_path_factory, text):
    fault = id_fault(text)
    if fault is not None:
        assert len(fault) < 400 and fault.isprintable()
        with pytest.raises(ValueError, match="id"):
            result_name(text, "0" * 64)
        return
    store = open_store(str(tmp_path_factory.getbasetemp() / secrets.token_hex(8)))
    name = result_name(text, "0" * 64)
    folder = store.workspace("own", name)
    assert store.publish(folder, name, {}) and store.done() == {name}
    assert Path(store.where(name)).parent == store.folder / "results"
    leases = Leases(store, "own")
    assert leases.take(name) and leases.claimed() == {name}
    leases.close()
