"""The driver's loop, with a worker in this process."""

import json
import logging
from collections import deque

import pytest
from batch_cases import OwnEngine, check_once, run, states, task, tasks

from fcvg_core.batch.driver.leases import open_leases
from fcvg_core.batch.driver.ledger import read_ledger
from fcvg_core.batch.driver.runner import Counts
from fcvg_core.batch.store import open_store
from fcvg_core.batch.store.layout import begin
from fcvg_core.batch.types import DONE, LOST, Outcome
from fcvg_core.batch.workers.worker import Worker
from fcvg_core.errors import UserError


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


class ScriptedEngine:
    """An engine whose workers are lost as a script says; else they do their tasks.

    Args:
        losses: id of a task -> how often its worker is lost; True: each time.
    """

    workers = 1

    def __init__(self, folder, losses, *, publishes: bool = False):
        self._losses = dict(losses)
        self._worker = Worker(open_store(str(folder)), "driver", "worker")
        self._tasks: deque = deque()
        self._publishes = publishes
        self.order: list[str] = []

    def room(self) -> int:
        return 1 - len(self._tasks)

    def start(self, task, *, attempt: int) -> None:
        self._tasks.append((task, attempt))

    def wait(self, seconds: float) -> list[Outcome]:
        if not self._tasks:
            return []
        task, attempt = self._tasks.popleft()
        self.order.append(task.id)
        left = self._losses.get(task.id, 0)
        if left:
            self._losses[task.id] = left if left is True else left - 1
            if self._publishes:
                self._worker.do(task, attempt)
            return [Outcome(task.name, LOST, "worker", 1.0, "its worker died (signal 9)")]
        return [self._worker.do(task, attempt)]

    def close(self) -> None:
        pass


def failure(out, given) -> dict:
    return json.loads((out / "failed" / f"{given.name}.json").read_text())


class TestEveryTaskOnce:
    def test_all_are_done(self, out):
        given = tasks(5)
        summary = run(given, out)
        assert (summary.done, summary.failed, summary.left, summary.found_done) == (5, 0, 0, 0)
        assert not summary.reasons and not summary.stopped
        check_once(out, given)

    def test_no_tasks(self, out):
        assert run([], out).done == 0

    def test_what_is_done_is_not_done_again(self, out):
        run(tasks(3), out)
        summary = run(tasks(5), out)
        assert (summary.done, summary.found_done, summary.left) == (2, 3, 0)
        check_once(out, tasks(5))

    def test_lines_of_the_ledger(self, out):
        [given] = tasks(1)
        run([given], out)
        started, done = read_ledger(open_store(str(out)))
        assert (started["state"], started["attempt"], started["seed"]) == ("started", 1, 7)
        assert (done["state"], done["name"], done["driver"]) == ("done", given.name, "driver")
        assert done["worker"] == "worker" and done["seconds"] >= 0 and "error" not in done

    def test_a_result_whose_line_is_missing_gets_it(self, out):
        given = tasks(1)
        run(given, out)
        (out / "runs.jsonl").unlink()  # the driver was killed before it could write
        run(given, out)
        check_once(out, given)

    def test_counts(self, out):
        seen: list[Counts] = []
        given = [*tasks(3), task("bad", act="fail")]
        run(given, out, watch=seen.append)
        assert all(each.total == 4 and each.workers == 1 for each in seen)
        assert all(each.done + each.failed + each.left == 4 for each in seen)
        assert [each.left for each in seen][-1] == 0
        assert (seen[-1].done, seen[-1].failed, seen[-1].running) == (3, 1, 0)


class TestFailures:
    def test_one_bad_task_stops_none(self, out):
        bad = task("bad", act="fail")
        summary = run([bad, *tasks(3)], out)
        assert (summary.done, summary.failed, summary.left) == (3, 1, 0)
        record = failure(out, bad)
        assert record["error"] == "The picture a.png is damaged: save it again."
        assert record["id"] == "bad" and record["name"] == bad.name and record["key"] == bad.key
        assert (record["attempts"], record["worker"], record["traceback"]) == (1, "worker", "")
        assert states(out)["bad"] == {"started": 1, "failed": 1}

    def test_a_fault_of_the_program_has_a_traceback(self, out):
        bad = task("bad", act="crash")
        run([bad], out)
        assert "KeyError" in failure(out, bad)["traceback"]

    def test_a_failure_is_not_tried_again(self, out):
        bad = task("bad", act="fail")
        run([bad], out)
        summary = run([bad], out)
        assert (summary.failed, summary.left) == (0, 0)
        assert states(out)["bad"]["started"] == 1

    def test_unless_it_is_asked_for(self, out, tmp_path):
        bad = task("bad", act="fail", once=tmp_path / "once")
        run([bad], out)
        summary = run([bad], out, retry=True)
        assert (summary.done, summary.failed) == (1, 0)
        check_once(out, [bad])

    def test_a_failure_that_fails_again(self, out):
        bad = task("bad", act="fail")
        run([bad], out)
        assert run([bad], out, retry=True).failed == 1
        assert states(out)["bad"] == {"started": 2, "failed": 2}

    def test_too_many_stop_the_batch(self, out):
        bad = [task(f"bad{i}", act="fail") for i in range(9)]
        summary = run(bad, out, max_failures=2)
        assert summary.stopped and not summary.reasons
        assert 2 <= summary.failed <= 3  # one waits while another one runs
        assert summary.left == 9 - summary.failed
        assert not list(out.glob("claims/*"))


class TestModels:
    def test_tasks_whose_models_are_missing_are_left(self, out):
        bad = [task(f"bad{i}", act="unusable", models="large") for i in range(5)]
        summary = run([*bad, *tasks(2)], out)
        assert (summary.done, summary.failed, summary.left) == (2, 0, 5)
        assert summary.reasons == ("The model svd.safetensors is missing: download it.",)
        assert not summary.stopped
        assert sum(each["unusable"] for each in states(out).values()) <= 2
        assert not list(out.glob("failed/*")) and not list(out.glob("claims/*"))

    def test_they_are_done_once_the_models_are_there(self, out, tmp_path):
        given = [task(f"t{i}", act="unusable", once=tmp_path / "once") for i in range(3)]
        assert run(given, out, OwnEngine(open_store(str(out)), queue=1)).left == 3
        assert run(given, out).done == 3
        check_once(out, given)

    def test_models_that_kill_every_worker_are_not_loaded_for_ever(self, out):
        given = [task(f"t{i}", models="large") for i in range(20)]
        engine = ScriptedEngine(out, {each.id: True for each in given})
        summary = run([*given, *tasks(2)], out, engine)
        assert (summary.done, summary.failed, summary.left) == (2, 0, 20)
        assert len(engine.order) < 15
        [reason] = summary.reasons
        assert "at each of the first tasks with the same models" in reason
        assert "its worker died (signal 9)" in reason
        assert not list(out.glob("claims/*"))

    def test_a_machine_with_many_workers_is_lost_at_the_first_tasks(self, out):
        given = tasks(20)
        engine = ScriptedEngine(out, {each.id: 1 for each in given[:18]})
        engine.workers = 8  # more than at the start of the run, perhaps
        assert run(given, out, engine).done == 20
        check_once(out, given)


class TestLost:
    def test_a_task_is_tried_again_at_once(self, out):
        given = tasks(4)
        engine = ScriptedEngine(out, {"pair0001": 2})
        assert run(given, out, engine).done == 4
        assert engine.order == ["pair0000", *["pair0001"] * 3, "pair0002", "pair0003"]
        assert states(out)["pair0001"] == {"started": 3, "lost": 2, "done": 1}
        check_once(out, given)

    def test_a_task_that_kills_its_worker_fails_at_the_end(self, out):
        given = tasks(4)
        engine = ScriptedEngine(out, {"pair0001": True})
        summary = run(given, out, engine)
        assert (summary.done, summary.failed, summary.left) == (3, 1, 0)
        assert engine.order.count("pair0001") == 3
        record = failure(out, given[1])
        assert record["attempts"] == 3
        assert record["error"] == (
            "It was given up after its worker was lost 3 times. "
            "The last time: its worker died (signal 9)"
        )
        assert not list(out.glob("claims/*"))

    def test_without_retries(self, out):
        summary = run(tasks(1), out, ScriptedEngine(out, {"pair0000": True}), retries=0)
        assert summary.failed == 1
        assert "lost once" in failure(out, tasks(1)[0])["error"]

    def test_a_worker_that_died_after_it_had_published(self, out):
        given = tasks(2)
        engine = ScriptedEngine(out, {"pair0001": 1}, publishes=True)
        assert run(given, out, engine).done == 2
        assert engine.order == ["pair0000", "pair0001"]
        check_once(out, given)

    def test_in_a_storm_nothing_fails(self, out):
        given = tasks(30)
        engine = ScriptedEngine(out, {each.id: i % 6 for i, each in enumerate(given)})
        assert run(given, out, engine).done == 30
        check_once(out, given)


class TestNoWayOn:
    def test_a_full_disk_stops_the_batch(self, out):
        summary = run([*tasks(1), task("full", act="full"), *tasks(5)[1:]], out)
        assert summary.stopped and "is full" in summary.reasons[0]
        assert (summary.done, summary.failed) == (1, 0) and summary.left == 5
        assert states(out)["full"]["halted"] == 1
        assert not list(out.glob("claims/*")) and not list(out.glob("failed/*"))

    def test_no_worker_is_left(self, out):
        class Dead(OwnEngine):
            def wait(self, seconds):
                raise UserError("The worker machine:1 can't begin.")

        engine = Dead(open_store(str(out)))
        summary = run(tasks(3), out, engine)
        assert summary.reasons == ("The worker machine:1 can't begin.",)
        assert summary.stopped and summary.left == 3 and engine.closed
        assert states(out)["pair0000"] == {"started": 1, "given up": 1}
        assert not list(out.glob("claims/*"))

    def test_a_signal(self, out):
        given = tasks(9)

        def interrupt(counts: Counts) -> None:
            if counts.done == 3:
                raise KeyboardInterrupt

        engine = OwnEngine(open_store(str(out)))
        with pytest.raises(KeyboardInterrupt):
            run(given, out, engine, watch=interrupt)
        assert engine.closed and not list(out.glob("claims/*"))
        assert sum(each["given up"] for each in states(out).values()) == 1
        assert run(given, out).done == 6
        check_once(out, given)

    def test_a_result_whose_worker_could_not_say_so(self, out):
        class Ended(ScriptedEngine):
            def wait(self, seconds):
                super().wait(seconds)
                raise KeyboardInterrupt  # a signal ended workers and driver at the same time

        given = tasks(2)
        with pytest.raises(KeyboardInterrupt):
            run(given, out, Ended(out, {}))
        assert states(out) == {"pair0000": {"started": 1, "done": 1}}
        assert not list(out.glob("claims/*"))

    def test_the_ledger_can_not_be_written(self, out, monkeypatch):
        store = open_store(str(out))

        class Full(OwnEngine):
            def wait(self, seconds):
                ended = super().wait(seconds)
                monkeypatch.setattr("fcvg_core.batch.store.local.LocalStore.append", no_room)
                return ended

        def no_room(self, name, lines):
            raise UserError("The disk is full.") from OSError(28, "No space left on device")

        with pytest.raises(UserError, match="full"):  # the helper closes the ledger at the end
            run(tasks(3), out, Full(store))
        monkeypatch.undo()
        assert not list(out.glob("claims/*"))
        run(tasks(3), out)
        check_once(out, tasks(3))


class TestTwoDrivers:
    def test_a_task_of_another_driver_is_waited_for(self, out, monkeypatch, caplog):
        caplog.set_level(logging.INFO)
        monkeypatch.setattr("fcvg_core.batch.driver.runner.PAUSE", 0.01)
        monkeypatch.setattr("fcvg_core.batch.driver.runner.TICK", 0.01)
        store, given = open_store(str(out)), tasks(3)
        begin(store)
        other = open_leases(store, "other")
        assert other.take(given[1].name)

        def publish_later(counts: Counts) -> None:
            if counts.done == 2 and other.held:
                Worker(store, "other", "other").do(given[1], 1)
                other.release(given[1].name)  # killed before it wrote its line

        summary = run(given, out, watch=publish_later)
        other.close()
        assert (summary.done, summary.found_done, summary.left) == (2, 1, 0)
        assert caplog.messages == ["The last tasks (1) are done by another driver (other) now."]
        check_once(out, given)

    def test_a_task_whose_driver_died_is_done(self, out, monkeypatch):
        monkeypatch.setattr("fcvg_core.batch.driver.runner.PAUSE", 0.01)
        monkeypatch.setattr("fcvg_core.batch.driver.runner.TICK", 0.01)
        store, given = open_store(str(out)), tasks(3)
        begin(store)
        store.write("drivers/other", b'{"count": 1}')  # of another machine, and it stands still
        store.create(f"claims/{given[0].name}.0", b'{"driver": "other"}')
        assert run(given, out, ends_after=0.2).done == 3
        assert store.done() == {each.name for each in given}

    def test_a_failure_of_another_driver_is_not_tried_again(self, out):
        store, given = open_store(str(out)), tasks(3)
        begin(store)

        def fail_elsewhere(counts: Counts) -> None:
            store.write(f"failed/{given[2].name}.json", b"{}")

        engine = OwnEngine(store, queue=1)
        summary = run(given, out, engine, watch=fail_elsewhere)
        assert (summary.done, summary.failed) == (2, 1)
        assert "pair0002" not in states(out)

    def test_a_driver_that_slept_leaves_its_task_to_the_other(self, out, monkeypatch):
        monkeypatch.setattr("fcvg_core.batch.driver.runner.PAUSE", 0.01)
        monkeypatch.setattr("fcvg_core.batch.driver.runner.TICK", 0.01)
        given = tasks(1)

        class Slow(OwnEngine):
            def wait(self, seconds):
                ended = super().wait(seconds)
                for each in ended:  # while it slept, another driver took the task over
                    assert each.state == DONE
                    for claim in out.glob("claims/*"):
                        claim.unlink()
                return ended

        summary = run(given, out, Slow(open_store(str(out))))
        assert (summary.done, summary.found_done) == (0, 1)
        check_once(out, given)

    def test_says_nothing_of_it_at_the_level_of_warnings(self, out, caplog):
        with caplog.at_level(logging.WARNING):
            run(tasks(2), out)
        assert not caplog.records
