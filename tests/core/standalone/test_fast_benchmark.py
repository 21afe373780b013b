"""The benchmark of the switches that save time, at the smallest size."""

import importlib.util
import re
import sys

import pytest
from hosts import ROOT

from fcvg_core.standalone.spec import InbetweenSampling

pytest.importorskip("diffusers")


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setattr(sys, "path", sys.path[:])  # the benchmark adds to it
    spec = importlib.util.spec_from_file_location("fast", ROOT / "benchmarks" / "fast.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fast", module)  # where its dataclass looks for its own name
    spec.loader.exec_module(module)
    return module


def test_table(fast, stand_ins, monkeypatch, capsys) -> None:
    cost = {"whole": 4.0, "shallow": 1.0, "control": 0.0}
    monkeypatch.setattr(fast, "count_operations", lambda: cost)
    monkeypatch.setattr(fast, "SWITCHES", {name: fast.SWITCHES[name] for name in ("--fast",)})
    settings = InbetweenSampling(steps=2).settings(num_frames=2, fps=7)
    fast.compare(stand_ins, (64, 64), settings)
    rows = dict(re.findall(r"^(full run|--\S+(?: mpd)?) +(.*)$", capsys.readouterr().out, re.M))
    passes = {name: row.split()[:3] for name, row in rows.items()}
    assert passes == {
        "full run": ["8", "0", "1.000"],
        "--fast": ["28", "14", "2.188"],  # of ten steps
        "--sampler mpd": ["14", "0", "1.750"],
    }
    assert rows["full run"].split()[3:] == ["1.000", "0.000", "inf"]


def test_operations_are_those_of_the_full_size(fast) -> None:
    cost = fast.count_operations()
    assert 75 < cost["whole"] < 80 and cost["shallow"] < 0.26 * cost["whole"]
    assert 5.5 < cost["control"] < 6
