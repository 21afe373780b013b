"""What a worker makes of a task, and what it says of its end."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace

import batch_work
import pytest
from batch_cases import task
from hosts import ROOT

from fcvg_core.batch.planning import inputs
from fcvg_core.batch.planning.hashes import read_mark
from fcvg_core.batch.store import open_store
from fcvg_core.batch.types import DONE, FAILED, HALTED, LOST, UNUSABLE
from fcvg_core.batch.workers import worker as module
from fcvg_core.batch.workers.worker import Worker
from fcvg_core.errors import UserError


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "out"))


@pytest.fixture
def worker(store):
    batch_work.opened.clear()
    return Worker(store, "driver", "machine:1")


def text(store, done) -> str:
    return (store.folder / "results" / done.name / "text.txt").read_text()


class TestDone:
    def test_files_and_record(self, worker, store):
        given = task("a", film=True)
        outcome = worker.do(given, 2)
        assert (outcome.name, outcome.state, outcome.worker) == (given.name, DONE, "machine:1")
        folder = store.folder / "results" / given.name
        names = {each.name for each in folder.iterdir()}
        assert names == {"text.txt", "run.json", "film.mp4", "strip.jpg", "record.json"}
        record = store.record(given.name)
        assert record["id"] == "a" and record["key"] == given.key and record["seed"] == 7
        assert record["options"] == given.options and record["mode"] == "batch_work"
        assert (record["recipe"], record["attempt"], record["worker"]) == (1, 2, "machine:1")
        assert record["files"].keys() == names - {"record.json"}
        assert record["files"]["text.txt"] == (folder / "text.txt").stat().st_size
        assert record["finished"].endswith("+00:00") and record["seconds"] >= 0
        assert record["version"]

    def test_run_json_names_the_folder_of_the_result(self, worker, store):
        given = task("a")
        worker.do(given, 1)
        folder = store.folder / "results" / given.name
        assert json.loads((folder / "run.json").read_text())["output"] == folder.as_posix()

    def test_nothing_else_is_left(self, worker, store):
        worker.do(task("a"), 1)
        worker.do(task("b", act="fail"), 1)
        assert not [each for each in store.folder.glob(".partial/**/*") if each.is_file()]
        assert {each.name for each in store.folder.iterdir()} <= {"results", ".partial"}

    def test_a_result_that_is_there_stays(self, worker, store):
        worker.do(task("a", text="first"), 1)
        assert worker.do(task("a", text="second"), 1).state == DONE
        assert text(store, task("a")).startswith("first")

    def test_in_a_store_that_is_no_folder(self, tmp_path):
        pytest.importorskip("fsspec")
        store = open_store("memory://test_worker/out")
        given = task("a")
        assert Worker(store, "driver", "w").do(given, 1).state == DONE
        assert store.record(given.name)["files"].keys() == {"text.txt", "run.json"}


class TestKept:
    def test_models_are_loaded_once_for_tasks_of_a_setup(self, worker, store):
        for name in "abc":
            worker.do(task(name), 1)
        assert batch_work.opened == {"small": 1}
        assert text(store, task("c")) == "c by preparer of small and models small, load 1\n"

    def test_another_setup_takes_the_place(self, worker, store):
        for name, models in [("a", "small"), ("b", "large"), ("c", "small")]:
            worker.do(task(name, models=models), 1)
        assert batch_work.opened == {"small": 2, "large": 1}

    def test_a_bad_task_costs_no_loaded_models(self, worker):
        worker.do(task("a"), 1)
        for stage in ("prepare", "open", "finish"):
            assert worker.do(task("b", act="fail", stage=stage), 1).state == FAILED
        worker.do(task("c"), 1)
        assert batch_work.opened == {"small": 1}

    def test_after_a_fault_of_the_program_models_are_loaded_again(self, worker):
        worker.do(task("a"), 1)
        worker.do(task("b", act="crash"), 1)
        worker.do(task("c"), 1)
        assert batch_work.opened == {"small": 2}


class TestPrepare:
    def test_elsewhere_makes_the_same(self, worker, store):
        given = task("a")
        other = Worker(store, "driver", "machine:2")
        prepared = pickle.loads(pickle.dumps(other.prepare(given)))
        assert prepared.value == "a by preparer of small"
        assert worker.do(given, 1, prepared).state == DONE
        ahead = text(store, given)
        worker.do(task("a", key="f" * 64), 1)
        assert text(store, task("a", key="f" * 64)) == ahead

    def test_ends_a_bad_task(self, worker, store):
        given = task("a", act="fail", stage="prepare")
        prepared = worker.prepare(given)
        outcome = worker.do(given, 1, prepared)
        assert outcome == prepared.ending
        assert (outcome.state, outcome.error) == (
            FAILED,
            "The picture a.png is damaged: save it again.",
        )
        assert not batch_work.opened

    def test_the_first_stages_of_a_bad_task_need_no_models(self, worker):
        worker.do(task("a", act="fail", stage="prepare"), 1)
        assert not batch_work.opened


class TestEndings:
    @pytest.mark.parametrize("stage", ["prepare", "open", "finish"])
    @pytest.mark.parametrize(
        ("act", "state", "error"),
        [
            ("fail", FAILED, "The picture a.png is damaged: save it again."),
            ("crash", FAILED, "KeyError: 'nobody knows'"),
            ("memory", FAILED, "The device's memory ran out. Try --offload"),
            ("unusable", UNUSABLE, "The model svd.safetensors is missing: download it."),
            ("no package", UNUSABLE, "The package av is not installed: pip install av."),
            ("device", LOST, "RuntimeError: CUDA error: an illegal memory access"),
            ("connection", LOST, "reset by peer"),
            ("full", HALTED, "is full. "),
        ],
    )
    def test_state_and_message(self, worker, store, act, state, error, stage):
        outcome = worker.do(task("a", act=act, stage=stage), 1)
        assert outcome.state == state and error in outcome.error
        assert worker.spoilt == (state == LOST)
        assert bool(outcome.traceback) == (act == "crash")
        assert not store.done()

    def test_a_fault_of_the_program_has_its_traceback(self, worker):
        outcome = worker.do(task("a", act="crash"), 1)
        assert "batch_work.py" in outcome.traceback and "KeyError" in outcome.traceback

    def test_options_of_another_version_of_the_program(self, worker):
        wrong = replace(task("a"), options={"version": 1, "colour": "red"})
        outcome = worker.do(wrong, 1)
        assert outcome.state == FAILED and "There is no option 'colour'" in outcome.error

    def test_a_mode_that_is_not_there(self, worker):
        outcome = worker.do(replace(task("a"), module="no_such_command"), 1)
        assert outcome.state == UNUSABLE and "no_such_command" in outcome.error

    def test_the_disk_of_the_results_is_full(self, small_disk):
        store = open_store(str(small_disk(32 * 4096) / "out"))
        worker = Worker(store, "driver", "machine:1")
        outcomes = [worker.do(task(f"t{i}", text="long " * 1000), 1) for i in range(20)]
        found = [outcome.state for outcome in outcomes]
        assert found[0] == DONE and found[-1] == HALTED and set(found) == {DONE, HALTED}
        assert "is full" in outcomes[-1].error
        assert len(store.done()) == found.count(DONE)

    def test_its_folder_was_removed_meanwhile(self, worker, monkeypatch):
        """By hand, or by another driver: no fault of the task."""

        def removed(folder):
            shutil.rmtree(folder)
            raise UserError(f"{folder} does not exist.")

        monkeypatch.setattr(module, "write_strip", removed)
        outcome = worker.do(task("a"), 1)
        assert outcome.state == LOST and "is gone" in outcome.error

    def test_a_signal_ends_the_process(self, worker, store, monkeypatch):
        def interrupted(folder):
            raise KeyboardInterrupt

        monkeypatch.setattr(module, "write_strip", interrupted)
        with pytest.raises(KeyboardInterrupt):
            worker.do(task("a"), 1)
        assert not store.done()


class TestRemoteInputs:
    def test_the_record_has_the_urls(self, worker, store, monkeypatch):
        given = replace(
            task("a", log="/remote/0/log.txt"),
            remote={"/remote/0/log.txt": "s3://bucket/log.txt"},
        )
        fetched = []
        monkeypatch.setattr(
            inputs,
            "fetch_inputs",
            lambda task, folder: fetched.append(folder) or replace(task, options={"text": "here"}),
        )
        assert worker.do(given, 1).state == DONE
        assert store.record(given.name)["options"]["log"] == "s3://bucket/log.txt"
        assert text(store, given).startswith("here")
        assert not any(map(os.path.exists, fetched)) and not list(store.folder.glob(".partial/*/*"))


def test_an_input_that_has_changed_since_it_was_planned(worker, store, tmp_path):
    log = tmp_path / "log.txt"
    log.write_text("planned")
    given = replace(task("a", log=str(log)), inputs={"log": read_mark(log)})
    outcome = worker.do(given, 1)  # the work itself appends to its log
    assert outcome.state == FAILED and f"{log} has changed since" in outcome.error
    assert not store.is_done(given.name)


def test_a_worker_needs_pytorch_only_for_its_tasks():
    code = (
        "import sys\n"
        "from fcvg_core.batch.driver import attempts, endings, runner\n"
        "from fcvg_core.batch.workers import local_engine, local_process, strip, worker\n"
    )
    code += "sys.exit(bool({'torch', 'cv2', 'fsspec', 'av'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
