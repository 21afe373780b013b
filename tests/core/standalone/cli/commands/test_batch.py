"""The batch command: manifests of real pairs in, real previews out; how it ends, and goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from batch_cases import OwnEngine, states
from hosts import ROOT
from PIL import Image

from fcvg_core.batch.store import open_store
from fcvg_core.errors import UserError
from fcvg_core.standalone.cli import batch_run
from fcvg_core.standalone.cli.main import main
from fcvg_core.standalone.demo.scene import draw_sample_pair

SMALL = {"mode": "preview", "width": 128, "height": 64, "frames": 4}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with two pictures, which is the current one."""
    for name, frame in zip(("first", "last"), draw_sample_pair((64, 128)), strict=True):
        Image.fromarray(frame).save(tmp_path / f"{name}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def own_engine(monkeypatch) -> list[OwnEngine]:
    """The worker is in this process, which has torch already; all engines that were opened."""
    opened = []

    def open_engine(options, driver):
        opened.append(OwnEngine(open_store(options.output)))
        return opened[-1]

    monkeypatch.setattr(batch_run, "_open_engine", open_engine)
    return opened


@pytest.fixture
def log(caplog):
    """Gives everything that is logged; pytest takes the log from standard error."""
    caplog.set_level("INFO")
    return lambda: "\n".join(caplog.messages)


def row(name: str, **more) -> dict:
    return {"id": name, "first": "first.png", "last": "last.png", **SMALL, **more}


def manifest(*rows: dict | str) -> str:
    """Write a manifest of rows, some of which may be no JSON."""
    lines = (line if isinstance(line, str) else json.dumps(line) for line in rows)
    Path("pairs.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return "pairs.jsonl"


def batch(*arguments: str) -> int:
    try:
        return main(["batch", *arguments])
    except SystemExit as stop:
        return stop.code


def results(out: str = "out") -> list[str]:
    """Ids of the results."""
    return sorted(name[:-13] for name in open_store(out).done())


@pytest.mark.usefixtures("own_engine")
class TestRun:
    def test_all_is_done(self, folder, capsys, log):
        assert batch(manifest(row("a"), row("b", fps=5)), "-o", "out") == 0
        printed = capsys.readouterr()
        assert printed.out.splitlines() == [
            "done:    2",
            "failed:  0",
            "left:    0",
            f"results: {folder / 'out' / 'results'}",
            f"report:  {folder / 'out' / 'report.html'}",
        ]
        assert "2 pairs to do." in log()
        assert "2 done, 0 failed, 0 left" in printed.err
        assert results() == ["a", "b"]
        (result,) = Path("out/results").glob("a-*")
        assert {"preview.mp4", "run.json", "record.json", "strip.jpg"} <= set(os.listdir(result))

    def test_the_same_command_again_does_nothing(self, folder, capsys, own_engine):
        pairs = manifest(row("a"))
        assert batch(pairs, "-o", "out") == batch(pairs, "-o", "out") == 0
        assert "done:    1, 1 of them before" in capsys.readouterr().out
        assert len(own_engine) == 1  # no worker was started again
        assert states("out") == {"a": {"started": 1, "done": 1}}

    def test_one_bad_pair_stops_no_other(self, folder, capsys, log):
        Path("broken.png").write_bytes(b"no picture")
        rows = row("a"), row("b", first="broken.png"), row("c", first="none.png"), row("d")
        assert batch(manifest(*rows), "-o", "out") == 1
        printed = capsys.readouterr()
        assert "done:    2\nfailed:  2\nleft:    0" in printed.out
        assert "2 pairs failed:" in log() and "--retry-failed" in log()
        assert f"c: There is no file {folder / 'none.png'}." in log()
        assert results() == ["a", "d"]
        assert main(["preview", "broken.png", "last.png", "-o", "x"]) == 2
        alone = capsys.readouterr().err.strip().removeprefix("Error: ")
        (failure,) = Path("out/failed").glob("b-*.json")
        assert json.loads(failure.read_text())["error"].endswith(alone)

    def test_a_failure_stays_until_it_is_corrected(self, folder, capsys):
        pairs = manifest(row("a"), row("b", first="none.png"))
        assert batch(pairs, "-o", "out") == batch(pairs, "-o", "out") == 1
        assert states("out")["b"] == {"failed": 1}
        Image.open("first.png").save("none.png")
        assert batch(pairs, "-o", "out") == 0
        assert results() == ["a", "b"] and os.listdir("out/failed") == []

    def test_failed_pairs_are_tried_again_if_asked(self, folder, own_engine):
        Path("broken.png").write_bytes(b"no picture")
        pairs = manifest(row("b", first="broken.png"))
        assert batch(pairs, "-o", "out") == batch(pairs, "-o", "out") == 1
        assert len(own_engine) == 1
        assert batch(pairs, "-o", "out", "--retry-failed") == 1
        assert states("out")["b"] == {"started": 2, "failed": 2}

    def test_many_failures_stop_it(self, folder, capsys, log):
        Path("broken.png").write_bytes(b"no picture")
        pairs = manifest(*(row(f"a{i}", first="broken.png") for i in range(9)))
        assert batch(pairs, "-o", "out", "--max-failures", "2") == 1
        assert "(--max-failures)" in log() and "the same command goes on" in log()
        left = int(capsys.readouterr().out.split("left:")[1].split()[0])
        assert 0 < left < 8

    def test_rows_that_can_not_be_done_count_as_failures(self, folder, own_engine):
        pairs = manifest(row("a", steps=3), row("b"))
        assert batch(pairs, "-o", "out", "--max-failures", "1") == 1
        assert own_engine == [] and states("out") == {"a": {"failed": 1}}
        assert batch(pairs, "-o", "out", "--max-failures", "1") == 1  # a new run goes on
        assert results() == ["b"]

    def test_options_for_all_rows(self, folder):
        pairs = manifest(row("a"), {**row("b"), "frames": None})
        assert batch(pairs, "-o", "out", "--set", "frames=5", "--set", "fps=3") == 0
        store = open_store("out")
        found = {name[0]: store.record(name)["options"] for name in store.done()}
        assert {k: (v["frames"], v["fps"]) for k, v in found.items()} == {"a": (4, 3), "b": (5, 3)}

    def test_a_folder_of_pairs(self, folder):
        for name in ("a", "b"):
            (folder / "pairs" / name).mkdir(parents=True)
            for picture in ("first.png", "last.png"):
                Image.open(picture).save(folder / "pairs" / name / picture)
        size = [f"--set={name}={SMALL[name]}" for name in ("width", "height", "frames")]
        assert batch("pairs", "-o", "out", "--mode", "preview", *size) == 0
        assert results() == ["a", "b"]

    def test_shards_share_the_pairs(self, folder):
        pairs = manifest(*(row(f"a{i}") for i in range(6)))
        done = []
        for shard in ("0/2", "1/2"):
            assert batch(pairs, "-o", shard[0], "--shard", shard) == 0
            done += results(shard[0])
        assert sorted(done) == [f"a{i}" for i in range(6)]

    def test_other_options_for_the_same_folder(self, folder, capsys):
        assert batch(manifest(row("a")), "-o", "out") == 0
        pairs = manifest(row("a", frames=5))
        assert batch(pairs, "-o", "out") == 2
        assert "a: frames is 4 there and 5 here" in capsys.readouterr().err
        assert batch(pairs, "-o", "out", "--changed") == 0
        assert results() == ["a", "a"]

    def test_metrics(self, folder):
        for _ in range(2):  # the second run has nothing to do
            assert batch(manifest(row("a")), "-o", "out", "--metrics", "batch.prom") == 0
            found = Path("batch.prom").read_text()
            assert 'fcvg_batch_pairs{state="done"} 1\n' in found and "fcvg_batch_up 0\n" in found

    def test_no_report(self, folder, capsys):
        assert batch(manifest(row("a")), "-o", "out", "--no-report") == 0
        assert not Path("out/report.html").exists() and "report:" not in capsys.readouterr().out

    def test_a_report_that_can_not_be_written(self, folder, log, monkeypatch):
        def fail(*arguments, **more):
            raise UserError("The disk is full.")

        monkeypatch.setattr("fcvg_core.batch.reporting.report.write_report", fail)
        assert batch(manifest(row("a")), "-o", "out") == 0
        assert "There is no report. The disk is full." in log()

    def test_workers_that_can_do_nothing(self, folder, capsys, monkeypatch):
        def fail(self, seconds):
            raise UserError("The worker w died 3 times.")

        monkeypatch.setattr(OwnEngine, "wait", fail)
        assert batch(manifest(row("a")), "-o", "out") == 2
        printed = capsys.readouterr()
        assert "Error: The worker w died 3 times.\n1 pair left: the same command" in printed.err
        assert "left:    1" in printed.out and not list(Path("out/claims").iterdir())
        assert "The worker w died 3 times." in Path("out/report.html").read_text()

    def test_missing_models_fail_no_pair(self, folder, capsys, monkeypatch):
        monkeypatch.delenv("FCVG_MODELS", raising=False)
        assert batch(manifest(row("a", mode="inbetween")), "-o", "out") == 2
        printed = capsys.readouterr()
        assert "Error: Models of FCVG are missing" in printed.err
        assert "failed:  0\nleft:    1" in printed.out

    def test_a_signal(self, folder, capsys, log, monkeypatch):
        def interrupt(self, seconds):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(OwnEngine, "wait", interrupt)
            assert batch(manifest(row("a")), "-o", "out") == 130
        assert "the same command goes on" in log()
        assert capsys.readouterr().err.endswith("Interrupted.\n")
        assert not list(Path("out/claims").iterdir()) and not list(Path("out/drivers").iterdir())
        assert batch("pairs.jsonl", "-o", "out") == 0


class TestDryRun:
    def test_all_is_right(self, folder, capsys):
        assert batch(manifest(row("a"), row("b")), "-o", "out", "--dry-run") == 0
        assert capsys.readouterr().out == "All inputs and options of 2 pairs are right.\n"
        assert sorted(os.listdir()) == ["first.png", "last.png", "pairs.jsonl"]  # nothing is made

    def test_prints_every_fault(self, folder, capsys):
        Path("broken.png").write_bytes(b"no picture")
        pairs = manifest(
            row("a"),
            '{"id": "b",',
            row("c/d"),
            row("a"),
            row("e", mode="previw"),
            row("f", first="broken.png"),
            row("g", last="none.png"),
            row("h", width=100),
            row("i", steps=3),
            row("j", output="../x"),
        )
        assert batch(pairs, "-o", "out", "--dry-run") == 2
        printed = capsys.readouterr()
        found = dict(line.split(": ", 1) for line in printed.out.splitlines())
        assert [x.split(",")[0] for x in found] == [f"line {i}" for i in range(2, 11)]
        assert "line 2, column 12" in found and "'c/d'" in found["line 3"]
        assert "line 1" in found["line 4"] and "perhaps preview" in found["line 5"]
        assert "can't be read as a picture" in found["line 6"]
        assert "There is no file" in found["line 7"] and "multiple of 64" in found["line 8"]
        assert "no option 'steps'" in found["line 9"] and "'output'" in found["line 10"]
        assert printed.err == "Error: 9 faults were found in pairs.jsonl; nothing was done.\n"

    @pytest.mark.usefixtures("own_engine")
    def test_says_what_is_done_and_what_differs(self, folder, capsys):
        pairs = manifest(row("a"))
        assert batch(pairs, "-o", "out") == 0
        before = sorted(path.stat().st_mtime_ns for path in Path("out").rglob("*"))
        assert batch(pairs, "-o", "out", "--dry-run") == 0
        assert capsys.readouterr().out.endswith("pair are right; 1 of them are done.\n")
        assert batch(manifest(row("a", fps=3), row("b", last="no")), "-o", "out", "--dry-run") == 2
        printed = capsys.readouterr()
        assert "a: fps is 7 there and 3 here" in printed.err
        assert "line 2: b: There is no file" in printed.out
        pairs = manifest(row("a", fps=3), row("b", mode="previw"), row("c", last="s3x://no"), "{")
        assert batch(pairs, "-o", "out", "--dry-run") == 2
        printed = capsys.readouterr()
        assert [line[:6] for line in printed.out.splitlines()] == ["line 2", "line 3", "line 4"]
        assert "a: fps is 7 there and 3 here" in printed.err
        assert before == sorted(path.stat().st_mtime_ns for path in Path("out").rglob("*"))

    def test_of_a_folder_that_is_no_batch(self, folder, capsys):
        Path("out").mkdir()
        Path("out/thesis.txt").write_text("mine")
        assert batch(manifest(row("a"), "{"), "-o", "out", "--dry-run") == 2
        printed = capsys.readouterr()
        assert "not the folder of an earlier batch" in printed.err and "line 2" in printed.out

    def test_prints_nothing_that_a_terminal_obeys(self, folder, capsys):
        assert batch(manifest(row("a", first="a\x1b[31m\nb")), "-o", "out", "--dry-run") == 2
        (line,) = capsys.readouterr().out.splitlines()
        assert line.endswith("a\\x1b[31m\\nb.")

    def test_with_a_wrong_setting(self, folder, capsys):
        assert batch(manifest("{"), "-o", "out", "--dry-run", "--set", "stepz=1") == 2
        printed = capsys.readouterr()
        assert "there is no option 'stepz' of inbetween" in printed.err and "line 1" in printed.out


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("pairs.jsonl", "required: -o/--output"),
        ("-o out", "A manifest is needed: python -m fcvg_core batch MANIFEST"),
        ("-o out --ray pairs.jsonl", "pairs.jsonl is the address of --ray: write --ray last"),
        ("none.jsonl -o out", "There is no file or folder none.jsonl; expected a manifest"),
        ("pairs.jsonl -o out --mode story", "expected one of inbetween, preview, animate"),
        ("pairs.jsonl -o out --shard 9/8", "expected I/N, such as 3/8"),
        ("pairs.jsonl -o out --shard 1", "expected I/N, such as 3/8"),
        ("pairs.jsonl -o out --workers 0", "expected a whole number from 1 to 4096, got 0"),
        ("pairs.jsonl -o out --set frames", "expected NAME=VALUE, such as steps=10"),
        ("pairs.jsonl -o out --set frmes=4", "--set: there is no option 'frmes' of preview"),
        ("pairs.jsonl -o out --set fps=x", "fps: expected a whole number"),
        ("pairs.jsonl -o out --set fps=3 --set fps=4", "--set gives one option twice"),
        ("pairs.jsonl -o out --metrics no/batch.prom", "There is no file or folder"),
        ("pairs.jsonl -o first.png", "a folder was expected"),
        ("pairs.jsonl -o .", "is not empty"),
        ("pairs.jsonl -o memory://out", "use a folder, or a bucket"),
    ],
)
def test_bad_arguments(folder, capsys, typed, said):
    manifest(row("a"))
    assert batch(*typed.split()) == 2
    printed = capsys.readouterr().err
    assert said in printed and "Traceback" not in printed


def test_ray_that_is_not_installed(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "fcvg_core.batch.ray_engine", raising=False)
    assert batch(manifest(row("a")), "-o", "out", "--ray") == 2
    assert 'pip install -e ".[batch]"' in capsys.readouterr().err


def test_shards_from_zero_and_from_one():
    from fcvg_core.standalone.cli.options import parse_options

    def shard(text: str) -> tuple[int, int]:
        return parse_options(["batch", "x", "-o", "out", "--shard", text]).shard

    assert [shard(f"{i}/3") for i in range(4)] == [(0, 3), (1, 3), (2, 3), (0, 3)]


@pytest.mark.slow  # workers are processes of their own, which load torch each time
@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are not on Windows")
def test_killed_and_interrupted_it_goes_on(folder):
    """The program itself: kill -9 in the middle, then SIGTERM, then to the end."""
    pairs = manifest(*(row(f"a{i:02d}") for i in range(12)))

    def start() -> subprocess.Popen:
        command = [sys.executable, "-m", "fcvg_core", "batch", pairs, "-o", "out"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)

    def wait_for(count: int) -> None:
        end = time.monotonic() + 120
        while not os.path.isdir("out/results") or len(os.listdir("out/results")) < count:
            assert time.monotonic() < end
            time.sleep(0.02)

    first = start()
    wait_for(2)
    first.kill()
    first.communicate()
    second = start()
    wait_for(5)
    second.send_signal(signal.SIGTERM)
    assert "Interrupted by SIGTERM." in second.communicate()[1]
    assert second.returncode == 143
    assert os.listdir("out/claims") == os.listdir("out/drivers") == []
    last = start()
    last.communicate()
    assert last.returncode == 0
    assert results() == [f"a{i:02d}" for i in range(12)]
    assert {count["done"] for count in states("out").values()} == {1}
    assert not list(Path("out").glob(".partial")) and os.listdir("out/claims") == []
