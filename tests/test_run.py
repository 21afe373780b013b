"""What `make test` runs where, and what it says afterwards."""

import os
import sys

import hosts
import pytest
import run


@pytest.fixture
def found(tmp_path, monkeypatch):
    """Three hosts, named so that neither order of names is that of releases."""
    folders = []
    for name, version in (("a", "0.8.0"), ("b", "0.33.0"), ("c", "0.3.64")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "main.py").touch()
        (folder / "comfyui_version.py").write_text(f'__version__ = "{version}"\n')
        folders.append(folder)
    named = os.pathsep.join(map(str, [*folders, tmp_path / "none"]))
    monkeypatch.setenv("COMFYUI_PATH", named)
    return hosts.find_hosts()


def test_hosts_are_sorted_by_release(found) -> None:
    assert [hosts.version(host) for host in found] == ["0.3.64", "0.8.0", "0.33.0"]


def test_newest_in_full_and_older_ones_at_the_seam(found) -> None:
    suites = {suite.name: suite.arguments for suite in run.plan(found, quick=False)}
    assert suites == {
        "ComfyUI 0.33.0, sampling": ["tests/nodes", "-m", "sampling"],
        "ComfyUI 0.33.0, the rest": ["tests/nodes", "-m", "not sampling and not server"],
        "ComfyUI 0.33.0, servers": ["tests/nodes", "-m", "server and not sampling"],
        "core": ["tests", "--ignore=tests/nodes"],
        "ComfyUI 0.3.64, its seam": ["tests/nodes", "-m", "seam"],
        "ComfyUI 0.8.0, its seam": ["tests/nodes", "-m", "seam"],
    }


def test_the_longest_begin(found) -> None:
    """So that neither core waits for the other at the end."""
    names = [suite.name for suite in run.plan(found, quick=False)]
    assert names[:2] == ["core", "ComfyUI 0.33.0, servers"]
    assert names[-1] == "ComfyUI 0.33.0, sampling"


def test_quick(found) -> None:
    suites = {suite.name: suite.arguments for suite in run.plan(found, quick=True)}
    assert suites == {
        "core": ["tests", "--ignore=tests/nodes", "-m", "not slow"],
        "ComfyUI 0.33.0, its seam": ["tests/nodes", "-m", "seam and not slow"],
    }


def test_without_a_host_the_core_is_run() -> None:
    assert [suite.name for suite in run.plan([], quick=False)] == ["core"]


def test_a_suite_from_its_start_to_its_times(tmp_path, capsys) -> None:
    (tmp_path / "test_it.py").write_text("def test_good(): pass\ndef test_bad(): assert 0\n")
    suite = run.Suite("mine", [str(tmp_path), "--rootdir", str(tmp_path)])
    run.run(suite)
    assert suite.code == 1 and suite.seconds > 0
    assert [name.split("::")[1] for _, name in suite.tests] == [
        "test_good (mine)",
        "test_bad (mine)",
    ]
    assert "1 failed, 1 passed" in capsys.readouterr().out


def test_what_a_suite_reaches(tmp_path) -> None:
    pytest.importorskip("coverage")
    (tmp_path / "test_it.py").write_text(
        "from fcvg_core.progress import silent\ndef test_it(): silent('stage', 0, 1)\n"
    )
    suite = run.Suite("mine", [str(tmp_path), "--rootdir", str(tmp_path)], measured=True)
    run.run(suite)
    lines = [line.split() for line in suite.coverage.splitlines()]
    names = [line[0] for line in lines if line]
    assert suite.code == 0 and names[0] == "Name" and "TOTAL" in names
    missed = {line[0]: line[1:] for line in lines if len(line) >= 6}
    assert "fcvg_core/progress.py" not in missed  # reached as a whole
    statements, missing, branches = map(int, missed["fcvg_core/quoting.py"][:3])
    assert statements == missing > 10 and branches > 0


def test_coverage_measures_the_whole_core_suite(monkeypatch, capsys) -> None:
    begun = []
    monkeypatch.setattr(run, "run", begun.append)
    monkeypatch.setattr(sys, "argv", ["run.py", "--coverage"])
    assert run.main() == 1  # the suite that was not run has not passed
    (core,) = begun
    assert core.measured and "slow" not in core.arguments


def test_report(capsys) -> None:
    tests = [(float(i), f"t{i}") for i in range(30)]
    suite = run.Suite("mine", [], code=1, seconds=125.0, cpu=61.0, tests=tests)
    run.report([suite], 125.0, budget=3)
    said = capsys.readouterr().out
    assert "29.0  t29" in said and "t9\n" not in said
    assert "mine: 30, 2:05, 1:01   FAILED" in said and "OVER BUDGET" not in said
    suite.coverage = "a table"
    run.report([suite], 245.0, budget=3)
    said = capsys.readouterr().out
    assert "OVER BUDGET BY 1:05 MINUTES" in said
    assert said.endswith("What the suite mine does not reach:\na table\n")


def test_a_clone_that_fails_says_why(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(hosts, "CLONES", tmp_path)
    reason = hosts.clone_host()
    assert reason.startswith("git clone failed: ") and "git" in reason[len("git clone failed: ") :]
