"""Workers in processes of this machine, and what kills them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import batch_driver
import pytest
from batch_cases import check_once, run, states, task, tasks

from fcvg_core.batch.types import DONE, FAILED, LOST
from fcvg_core.batch.workers import local_engine as module
from fcvg_core.batch.workers import local_process
from fcvg_core.batch.workers.local_engine import UNABLE, LocalEngine, find_devices
from fcvg_core.errors import UserError

posix = pytest.mark.skipif(os.name != "posix", reason="signals and /proc")
LONGEST = 60.0  # seconds that a test waits before it fails


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def engine(out):
    """A function that makes an engine for `out`; it is closed at the end."""
    made = []

    def make(workers: int = 1, **options) -> LocalEngine:
        options = {"devices": [], "owner": "driver", **options}
        made.append(LocalEngine(str(out), workers=workers, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def outcomes(engine: LocalEngine, count: int) -> list:
    """So many outcomes, in their order."""
    found: list = []
    until = time.monotonic() + LONGEST
    while len(found) < count and time.monotonic() < until:
        found += engine.wait(1.0)
    return found


def processes(engine: LocalEngine) -> list[int]:
    return [slot.process._process.pid for slot in engine._slots]


def wait_for(condition) -> None:
    until = time.monotonic() + LONGEST
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def is_running(number: int) -> bool:
    """Whether a process has not ended; one whose parent does not know yet has."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class TestTasks:
    def test_are_done_in_the_background(self, out, engine):
        two = engine(2)
        assert (two.workers, two.room()) == (2, 4)
        for each in tasks(3):
            two.start(each, attempt=1)
        assert two.room() == 1
        found = outcomes(two, 3)
        assert {each.name for each in found} == {each.name for each in tasks(3)}
        assert all(each.state == DONE for each in found)
        assert len({each.worker for each in found}) == 2  # the worker with least to do got each
        assert two.room() == 4

    def test_a_whole_batch(self, out, engine):
        given = [*tasks(6), task("bad", act="crash")]
        summary = run(given, out, engine(2))
        assert (summary.done, summary.failed) == (6, 1)
        assert "KeyError" in json.loads(next(out.glob("failed/*")).read_text())["traceback"]
        assert not (out / ".partial").exists()

    def test_waiting_has_an_end(self, engine):
        assert engine().wait(0.0) == []

    def test_are_prepared_ahead_beside_a_gpu(self, out, engine, tmp_path):
        """The task that waits is prepared while another one sleeps."""
        one = engine(devices=["0"])
        slow, bad = task("slow", seconds=0.5), task("bad", act="fail", stage="prepare")
        for each in (slow, bad, task("last")):
            one.start(each, attempt=1)
            one.wait(0.0)
        found = {each.name: each for each in outcomes(one, 3)}
        assert found[bad.name].state == FAILED and found[slow.name].state == DONE
        assert found[task("last").name].state == DONE

    def test_warnings_come_to_the_log_of_the_driver(self, out, engine, caplog):
        one = engine()
        one.start(task("a", act="warn"), attempt=1)
        outcomes(one, 1)
        assert "a: A strange picture." in caplog.text
        assert "Only said in passing" not in caplog.text

    def test_the_same_warning_is_not_said_for_thousands_of_tasks(self, engine, caplog):
        two = engine(2)
        for number in range(4):
            two.start(task(f"t{number}", act="warn"), attempt=1)
        outcomes(two, 4)
        said = [each.message for each in caplog.records if "strange" in each.message]
        assert len(said) == 3 and said[-1].endswith("picture. (This is not said again.)")

    def test_a_store_that_other_processes_do_not_see(self):
        pytest.importorskip("fsspec")
        with pytest.raises(UserError, match="Other processes don't see"):
            LocalEngine("memory://local_engine/out", owner="driver")


@posix
class TestDeaths:
    def test_the_running_task_is_lost_and_the_waiting_one_is_not(self, out, engine):
        one = engine()
        deadly, waiting = task("deadly", act="killed"), task("waiting")
        one.start(deadly, attempt=1)
        one.start(waiting, attempt=1)
        lost, done = outcomes(one, 2)
        assert (lost.name, lost.state) == (deadly.name, LOST)
        assert lost.error == "its worker died (signal 9): about to be killed"
        assert lost.outside == Path("/proc/vmstat").exists()
        assert (done.name, done.state) == (waiting.name, DONE)
        assert not list(out.glob(".partial/driver/*"))

    def test_a_process_that_ends_itself(self, engine):
        one = engine()
        one.start(task("a", act="exit"), attempt=1)
        [lost] = outcomes(one, 1)
        assert lost.error == "its worker died (exit code 3)" and not lost.outside

    def test_a_process_that_crashes(self, engine):
        one = engine()
        one.start(task("a", act="segfault"), attempt=1)
        [lost] = outcomes(one, 1)
        assert lost.error.startswith("its worker died (signal 11)") and not lost.outside

    def test_a_process_that_the_system_ends_for_lack_of_memory(self, engine, monkeypatch):
        ended = iter(range(9))
        monkeypatch.setattr(local_process, "_memory_ran_out", lambda: next(ended))
        one = engine()
        one.start(task("a", act="killed"), attempt=1)
        [lost] = outcomes(one, 1)
        assert "(signal 9, the system's memory ran out)" in lost.error and not lost.outside

    def test_a_faulty_device_is_left_by_a_new_process(self, out, engine):
        one = engine()
        one.start(task("a", act="device"), attempt=1)
        one.start(task("b"), attempt=1)
        [before] = processes(one)
        lost, done = outcomes(one, 2)
        assert lost.state == LOST and "CUDA error" in lost.error and done.state == DONE
        assert processes(one) != [before]

    def test_a_device_that_fails_each_time_is_given_up(self, engine, caplog):
        two = engine(2)
        for number in range(12):
            two.start(task(f"t{number}", act="device"), attempt=1)
            wait_for(lambda: two.wait(0.1) and two.room())
            if len(two._living()) < 2:
                break
        assert len(two._living()) == 1  # the last one goes on
        assert "its device has failed 3 times" in caplog.text

    def test_a_worker_that_can_not_begin(self, out, engine):
        one = engine()
        one._slots[0].note(UNABLE, "The package s3fs is not installed: pip install s3fs.")
        os.kill(processes(one)[0], signal.SIGKILL)
        with pytest.raises(UserError, match="can't begin: The package s3fs is not installed"):
            outcomes(one, 1)

    def test_a_worker_that_dies_before_it_begins(self, engine, monkeypatch):
        monkeypatch.setenv("PYTHONHOME", "/nowhere")  # its Python can't start
        one = engine()
        with pytest.raises(UserError, match=r"never began: its process ended each"):
            outcomes(one, 1)

    def test_the_system_has_no_room_for_a_process(self, engine, monkeypatch):
        def fail(settings):
            raise OSError(11, "Resource temporarily unavailable")

        monkeypatch.setattr(module, "LocalProcess", fail)
        with pytest.raises(UserError, match="temporarily unavailable.*give fewer --workers"):
            engine()

    def test_a_task_that_kills_each_worker(self, out, engine):
        given = [task("deadly", act="exit"), *tasks(3)]
        summary = run(given, out, engine(2))
        assert (summary.done, summary.failed) == (3, 1)
        assert states(out)["deadly"] == {"started": 3, "lost": 3, "failed": 1}

    def test_close_ends_stuck_workers(self, out, engine):
        one = engine()
        one.start(task("a", act="stuck"), attempt=1)
        wait_for(lambda: one.wait(0.01) == [] and one._slots[0].running)
        [number] = processes(one)
        one.close()
        assert not is_running(number)
        assert not list(out.glob(".partial/*"))


class Driver:
    """A driver in a process of its own; see `batch_driver`."""

    def __init__(self, out: Path, **settings):
        command = [sys.executable, batch_driver.__file__, str(out), json.dumps(settings)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def workers(self) -> list[int]:
        """Numbers of the processes of its workers."""
        number = self.process.pid
        try:
            found = Path(f"/proc/{number}/task/{number}/children").read_text().split()
            names = {int(x): Path(f"/proc/{x}/cmdline").read_bytes() for x in found}
        except OSError:
            return []
        return [number for number, name in names.items() if b"spawn_main" in name]

    def kill(self, number: int = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        self.process.wait(LONGEST)

    def end(self) -> str:
        """Wait for its end; what it prints."""
        said, wrong = self.process.communicate(timeout=LONGEST)
        assert self.process.returncode == 0, wrong
        return said


needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")


@needs_proc
class TestKilledDriver:
    def test_its_workers_end_at_once(self, out):
        driver = Driver(out, count=2, workers=2, options={"act": "stuck"})
        wait_for(lambda: len(list(out.glob("claims/*"))) == 2 and len(driver.workers()) == 2)
        workers = driver.workers()
        driver.kill()
        wait_for(lambda: not any(map(is_running, workers)))

    def test_the_next_one_goes_on(self, out, tmp_path):
        settings = {"count": 24, "workers": 2, "options": {"seconds": 0.02}}
        first = Driver(out, **settings)
        wait_for(lambda: len(list(out.glob("results/*"))) >= 5)
        first.kill()
        last = Driver(out, **settings)
        wait_for(lambda: len(list(out.glob("results/*"))) >= 10)
        for number in last.workers():
            os.kill(number, signal.SIGKILL)
        assert "failed=0, left=0" in last.end()
        check_once(out, tasks(24, seconds=0.02))
        assert not (out / ".partial").exists()

    def test_two_at_a_time_of_which_one_is_killed(self, out, tmp_path):
        log = tmp_path / "log"
        options = {"seconds": 0.02, "log": str(log)}
        settings = {"count": 24, "workers": 1, "ends_after": 6.0, "options": options}
        one, other = Driver(out, **settings), Driver(out, **settings)
        wait_for(lambda: len(list(out.glob("results/*"))) >= 6)
        one.kill()
        assert "failed=0, left=0" in other.end()
        check_once(out, tasks(24, **options))
        begun = log.read_text().count("begun")
        assert begun <= 25  # only the task that the killed one did is done twice

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal(self, out, number):
        driver = Driver(out, count=2, workers=1, options={"act": "stuck"})
        wait_for(lambda: len(list(out.glob("claims/*"))) == 2 and driver.workers())
        workers = driver.workers()
        driver.kill(number)
        assert not any(map(is_running, workers))
        assert not list(out.glob("claims/*")) and not list(out.glob("drivers/*"))
        assert states(out)["pair0000"] == {"started": 1, "given up": 1}


class TestFindDevices:
    def test_without_a_sign_of_a_gpu_pytorch_is_not_asked(self, monkeypatch):
        monkeypatch.setattr(os.path, "exists", lambda path: False)
        monkeypatch.setattr(module.shutil, "which", lambda name: None)
        monkeypatch.setattr(module.subprocess, "run", None)
        assert find_devices() == []

    @pytest.mark.parametrize(
        ("said", "visible", "found"),
        [
            ("3\n", None, ["0", "1", "2"]),
            ("2\n", "5,7", ["5", "7"]),
            ("1\n", "GPU-8932f937", ["GPU-8932f937"]),
            ("a warning\n0\n", "", []),
            ("", None, []),
        ],
    )
    def test_asks_pytorch(self, monkeypatch, said, visible, found):
        def answer(command, **options):
            return subprocess.CompletedProcess(command, 0, said, "")

        monkeypatch.setattr(module.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
        monkeypatch.setattr(module.subprocess, "run", answer)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if visible is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert find_devices() == found


class TestVariables:
    def test_each_worker_has_its_gpu(self, monkeypatch):
        monkeypatch.setenv("OMP_NUM_THREADS", "4")
        made = module._variables(["3", "5"], 3)
        assert [each["CUDA_VISIBLE_DEVICES"] for each in made] == ["3", "5", "3"]
        assert "OMP_NUM_THREADS" not in made[0]

    def test_workers_on_a_cpu_share_its_cores(self, monkeypatch):
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        monkeypatch.setattr(os, "cpu_count", lambda: 8)
        assert module._variables([], 3) == [{"OMP_NUM_THREADS": "2"}] * 3
        assert module._variables([], 1) == [{}]
