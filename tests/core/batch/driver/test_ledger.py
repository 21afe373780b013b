"""The ledger: its lines, torn lines, and the lines of drivers that were killed."""

import json

import pytest
from lease_cases import Clock, publish

from fcvg_core.batch.driver.leases import Leases
from fcvg_core.batch.driver.ledger import Ledger, now, read_ledger, reconcile
from fcvg_core.batch.store import open_store
from fcvg_core.batch.types import Task

TASK = Task("a", "a-000000000000", "0" * 64, "preview", "m", {}, "s", seed=7)


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path))


def test_a_line_says_all(store):
    ledger = Ledger(store, "d1")
    ledger.note(TASK, "started", attempt=1, worker="w")
    ledger.note(TASK.name, "failed", error="No file\nx.png", seconds=1.5, worker=None)
    ledger.close()
    started, failed = read_ledger(store)
    times = [line.pop("time") for line in (started, failed)]
    assert times == sorted(times) and times[0][-1] == "Z" and times[1] <= now()
    same = {"id": "a", "name": TASK.name, "driver": "d1"}
    assert started == {**same, "state": "started", "seed": 7, "attempt": 1, "worker": "w"}
    assert failed == {**same, "state": "failed", "error": "No file\nx.png", "seconds": 1.5}


def test_torn_lines_are_left_out(store):
    ledger = Ledger(store, "d1")
    ledger.note(TASK, "started")
    store.append("runs.jsonl", b'[1]\n\n\xff\n{"state": "done", "na')  # a driver is killed here
    ledger.note(TASK, "done")
    assert [line["state"] for line in read_ledger(store)] == ["started", "done"]
    store.append("runs.jsonl", b'{"state": "do')
    assert [line["state"] for line in read_ledger(store)] == ["started", "done"]


def test_no_ledger_has_no_lines(store):
    assert list(read_ledger(store)) == []


class TestWhereAStoreCantAppend:
    def test_lines_wait(self, store, monkeypatch):
        monkeypatch.setattr(store, "appends", False, raising=False)
        clock = Clock()
        ledger = Ledger(store, "d1", clock=clock)
        for _ in range(999):
            ledger.note(TASK, "started")
        assert not list(read_ledger(store))
        ledger.note(TASK, "started")
        assert len(list(read_ledger(store))) == 1000
        ledger.note(TASK, "started")
        clock.now += 60
        ledger.note(TASK, "started")
        assert len(list(read_ledger(store))) == 1002
        ledger.note(TASK, "started")
        ledger.close()
        assert len(list(read_ledger(store))) == 1003

    def test_nothing_is_added_while_another_driver_may_live(self, store, monkeypatch):
        monkeypatch.setattr(store, "appends", False, raising=False)
        clock = Clock()
        other = Leases(store, "other", clock=clock)
        other._heartbeat.beat()
        publish(store, TASK.name)
        own, ledger = Leases(store, "own", clock=clock), Ledger(store, "own")
        assert reconcile(store, ledger, own) == 0
        other.close()
        assert reconcile(store, ledger, own) == 1


class TestReconcile:
    def test_adds_the_line_of_a_killed_driver_once(self, store):
        ledger, leases = Ledger(store, "d2"), Leases(store, "d2")
        publish(store, TASK.name, seed=7, seconds=2.5, worker="w1", attempt=2, finished="then")
        publish(store, "b-000000000000")
        ledger.note("b-000000000000", "done")
        assert reconcile(store, ledger, leases) == 1
        assert reconcile(store, ledger, leases) == 0
        line = [line for line in read_ledger(store) if line["name"] == TASK.name]
        assert len(line) == 1 and line[0].pop("time")
        assert line[0] == {
            "id": "a",
            "name": TASK.name,
            "state": "done",
            "seed": 7,
            "seconds": 2.5,
            "worker": "w1",
            "attempt": 2,
            "finished": "then",
            "reconciled": True,
            "driver": "d2",
        }
        assert not leases.held and not leases.claimed()

    def test_a_word_of_an_error_is_no_line(self, store):
        ledger = Ledger(store, "d2")
        ledger.note(TASK.name, "failed", error="done")
        store.append("runs.jsonl", json.dumps({"state": "done", "name": ["x"]}).encode() + b"\n")
        publish(store, TASK.name)
        assert reconcile(store, ledger, Leases(store, "d2")) == 1

    def test_leaves_tasks_of_living_drivers(self, store):
        other = Leases(store, "other")
        other.start()
        assert other.take(TASK.name)
        publish(store, TASK.name)
        own, ledger = Leases(store, "own"), Ledger(store, "own")
        assert reconcile(store, ledger, own) == 0
        other.release(TASK.name)  # without a line, as if it had been killed
        assert reconcile(store, ledger, own) == 1
        other.close()

    def test_one_driver_at_a_time(self, store):
        publish(store, TASK.name)
        other = Leases(store, "other")
        other.start()
        assert other.take("tidying")
        own, ledger = Leases(store, "own"), Ledger(store, "own")
        assert reconcile(store, ledger, own) == 0
        other.close()
        assert reconcile(store, ledger, own) == 1

    def test_a_stopped_driver_that_comes_back_adds_no_second_line(self, store):
        clock = Clock()
        stopped = Leases(store, "stopped", clock=clock)
        store.write("drivers/stopped", b'{"count": 1}')  # of another machine
        assert stopped.take(TASK.name)
        publish(store, TASK.name)
        own, ledger = Leases(store, "own", clock=clock), Ledger(store, "own")
        assert own.take("b") and reconcile(store, ledger, own) == 0
        for _ in range(6):
            clock.now += 10
            own.is_dead("stopped")
            own._heartbeat.beat()
        assert reconcile(store, ledger, own) == 1
        assert not stopped.still_held(TASK.name), "so it notes nothing"
        assert own.held == {"b"} and store.names("claims") == ["b.0"]

    def test_a_result_without_a_readable_record_gets_a_line(self, store):
        publish(store, TASK.name)
        store.write(f"results/{TASK.name}/record.json", b"{")
        assert reconcile(store, Ledger(store, "d"), Leases(store, "d")) == 1
