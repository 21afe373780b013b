"""benchmarks/batch.py at its smallest: every pair is done once, whatever is killed."""

import importlib.util
import re
import sys
import types
from pathlib import Path

import pytest
from hosts import ROOT

FOLDER = ROOT / "benchmarks"


@pytest.fixture(scope="module")
def benchmark() -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("batch_benchmark", FOLDER / "batch.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["batch_benchmark"] = module  # where its dataclasses look for their own names
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(benchmark, tmp_path, capfd):
    """Run parts of the benchmark; returns its exit code and what it printed."""

    def start(*words: str) -> tuple[int, str]:
        code = benchmark.main([*words, "--folder", str(tmp_path)])
        return code, capfd.readouterr().out

    return start


@pytest.mark.slow  # 300 pairs of 50 ms, and one worker that is killed
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a signal")
def test_each_of_300_pairs_is_done_once_though_a_worker_is_killed(run) -> None:
    code, said = run(
        *("kill", "--pairs", "300", "--workers", "4"), *("--every", "1", "--most", "1"),
        *("--drivers", "0"),
    )  # fmt: skip
    assert code == 0, said
    assert "1 workers, 0 drivers and 0 nodes killed; 300 results" in said
    assert "Each pair: one whole result, one line in the ledger" in said


@pytest.mark.slow  # the driver is started three times
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a signal")
def test_drivers_that_are_killed(run) -> None:
    code, said = run("kill", "--pairs", "60", "--workers", "2", "--every", "0", "--drivers", "2")
    assert code == 0, said
    assert "0 workers, 2 drivers and 0 nodes killed; 60 results" in said


@pytest.mark.slow  # three nodes of a cluster are started
@pytest.mark.skipif(sys.platform == "win32", reason="Ray has no cluster of nodes on Windows")
def test_a_node_of_ray_that_is_removed(run) -> None:
    pytest.importorskip("ray", reason="needs ray: pip install ray")
    code, said = run("ray", "--pairs", "60", "--every", "0", "--drivers", "0")
    assert code == 0, said
    assert "0 workers, 0 drivers and 1 nodes killed; 60 results" in said


@pytest.mark.slow  # each number of workers is a run of its own
def test_speed_and_memory_are_ratios(run) -> None:
    code, said = run(
        *("speed", "memory"), *("--pairs", "40", "--workers", "1", "2"), *("--seconds", "0.01")
    )
    assert code == 0, said
    rows = [line.split() for line in said.splitlines() if re.match(r" +\d", line)]
    assert [row[:2] for row in rows] == [["1", "20"], ["2", "40"]]
    assert rows[0][3] == "100.0%"
    assert re.search(r"memory of the driver: [\d.]+ MB for 100 pairs, .* [\d.]+ times", said)


class TestFaults:
    """What the benchmark notices; a count that is always right proves nothing."""

    @pytest.fixture
    def done(self, benchmark, tmp_path):
        """A run of two pairs whose results are whole."""
        made = benchmark.Run(tmp_path, 2, 0.0, 1)
        for number in range(2):
            self.add_result(made.out, f"pair {number:06d}", "a" * 12)
            self.add_line(made.out, f"pair {number:06d}")
        return made

    def add_result(self, out: Path, id: str, key: str) -> Path:
        folder = out / "results" / f"{id}-{key}"
        folder.mkdir(parents=True)
        (folder / "slept.txt").write_text("1")
        (folder / "record.json").write_text('{"files": {"slept.txt": 1}}')
        return folder

    def add_line(self, out: Path, id: str) -> None:
        with (out / "runs.jsonl").open("a") as ledger:
            ledger.write(f'{{"id": "{id}", "state": "done"}}\n')

    def test_none(self, done) -> None:
        assert done.faults() == []

    def test_a_pair_that_was_done_twice(self, done) -> None:
        self.add_result(done.out, "pair 000001", "b" * 12)
        self.add_line(done.out, "pair 000000")
        said = " ".join(done.faults())
        assert "pair 000001: result 2 times" in said
        assert "pair 000000: line 'done' 2 times" in said

    def test_a_pair_that_was_not_done(self, benchmark, done) -> None:
        more = benchmark.Run(done.folder, 3, 0.0, 1)
        assert "pair 000002: result 0 times" in more.faults()

    def test_a_result_that_is_not_whole(self, done) -> None:
        folder = self.add_result(done.out, "pair 000009", "c" * 12)
        (folder / "slept.txt").write_text("")
        assert f"{folder.name} is not whole" in done.faults()

    @pytest.mark.parametrize("path", ["claims/a.0", "failed/a.json", ".partial/d/a.1", "drivers/d"])
    def test_what_is_left_over(self, done, path) -> None:
        left = done.out / path
        left.parent.mkdir(parents=True)
        left.touch()
        assert f"{left} is left over" in done.faults()
