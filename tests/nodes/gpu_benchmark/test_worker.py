"""Measurements in a process of their own: answers, errors, and limits of time."""

import json
from argparse import Namespace
from contextlib import ExitStack

import pytest

# A class with a method for each thing that can happen.
JOB = """
import os, time
from gpu_worker import require

class Job:
    def __init__(self, number):
        print("a library is loud")
        self.number = number

    def answer(self):
        return {"found": self.number}

    def nothing(self):
        pass

    def fail(self):
        raise ValueError("no such number")

    def skip(self):
        require("json", "no_such_package")

    def sleep(self):
        time.sleep(60)

    def end(self):
        print("last words", flush=True)
        os._exit(3)
"""


@pytest.fixture
def worker(module, tmp_path, monkeypatch):
    (tmp_path / "gpu_test_job.py").write_text(JOB, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    made = module("gpu_worker").Worker("gpu_test_job:Job", {"number": 7}, tmp_path / "log")
    yield made
    made.stop()


class TestWorker:
    def test_what_methods_return_and_raise(self, module, worker, tmp_path):
        gpu_worker, server = module("gpu_worker"), module("gpu_server")
        worker.wait(30)
        assert worker.call("answer", 30) == {"found": 7}
        assert worker.call("nothing", 30) == {}
        told = r"ValueError: no such number(.|\n)*gpu_test_job.py:17"
        with pytest.raises(server.PartFailedError, match=told):
            worker.call("fail", 30)
        with pytest.raises(gpu_worker.PartSkippedError, match="no_such_package is missing"):
            worker.call("skip", 30)
        assert worker.call("answer", 30) == {"found": 7}  # errors end nothing
        assert "a library is loud" in (tmp_path / "log").read_text("utf-8")

    def test_a_method_that_takes_too_long_ends_the_process(self, module, worker):
        worker.wait(30)
        with pytest.raises(module("gpu_worker").TooSlowError, match="not done after 0 s"):
            worker.call("sleep", 0.3)
        assert not worker.alive
        with pytest.raises(module("gpu_server").PartFailedError, match="the process has ended"):
            worker.call("answer", 30)

    def test_the_last_words_of_a_process_are_told(self, module, worker):
        worker.wait(30)
        with pytest.raises(module("gpu_server").PartFailedError, match="last words"):
            worker.call("end", 30)

    def test_an_object_that_can_not_be_made(self, module, tmp_path):
        worker = module("gpu_worker").Worker("no_such_module:Job", {}, tmp_path / "log")
        with pytest.raises(module("gpu_server").PartFailedError, match="ModuleNotFoundError"):
            worker.wait(30)
        worker.stop()


class TestJob:
    @pytest.fixture
    def ran(self, module, tmp_path, monkeypatch):
        """Records of a job whose parts are methods of the class above."""
        (tmp_path / "gpu_test_job.py").write_text(
            JOB.replace("self, number", "self, number=7, **_"), "utf-8"
        )
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        parts = module("gpu_parts")

        def run(*chosen) -> dict[str, dict]:
            job = parts.Job("job", "gpu_test_job:Job", chosen)
            options = Namespace(
                tiny=True, work=tmp_path, out=tmp_path, host=tmp_path, seconds=100, only=None
            )
            benchmark = module("gpu").Benchmark(options)
            benchmark._todo = [parts.start(job), *chosen]
            with ExitStack() as stack:
                module("gpu_jobs").JobRun(benchmark, job, stack).run(None)
            lines = (tmp_path / "gpu.jsonl").read_text("utf-8").splitlines()
            return {record["part"]: record for record in map(json.loads, lines)}

        return run

    def test_a_part_after_one_that_was_stopped_gets_a_new_process(self, module, ran):
        part = module("gpu_parts").Part
        found = ran(
            part("slow", 0, 0.3, call="sleep"),
            part("spare and slow", 0, 0.3, call="sleep", spare=True),
            part("after", 0, 30, call="answer"),
        )
        assert found["slow"]["status"] == "failed"
        assert found["spare and slow"]["status"] == "skipped"
        assert "not done after" in found["spare and slow"]["why"]
        assert found["after"]["found"] == 7
