"""benchmarks/memory.py at its smallest, without ComfyUI."""

import importlib.util

import pytest
from hosts import ROOT

PATH = ROOT / "benchmarks" / "memory.py"


@pytest.mark.slow
def test_prints_ratios(monkeypatch, capsys) -> None:
    spec = importlib.util.spec_from_file_location("memory_benchmark", PATH)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    monkeypatch.setattr(benchmark, "WINDOW", 3)
    monkeypatch.setattr(benchmark, "OVERLAP", 1)
    monkeypatch.setattr(benchmark.sys, "argv", ["memory.py", "--frames", "3", "5"])
    benchmark.main()
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines[3:9]]
    assert [row[:4] for row in rows[:3]] == [
        ["3", "3", "64", "1"],
        ["5", "3", "64", "1"],
        ["5", "5", "64", "1"],
    ]
    assert [float(row[-1]) for row in rows[:3]] == [1.0, 1.0, pytest.approx(5 / 3, abs=0.01)]
    names = [line.split(":")[0] for line in lines]
    for name in ("a frame more", "a frame more at once", "written as pictures", "written as MP4"):
        assert name in names
