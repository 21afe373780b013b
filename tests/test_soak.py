"""What the soak takes for a leak, and that its graphs differ; the run itself takes half an hour."""

import importlib.util
import random
import sys
from collections import Counter

import pytest
from hosts import ROOT


@pytest.fixture(scope="module")
def soak():
    spec = importlib.util.spec_from_file_location("soak", ROOT / "benchmarks" / "soak.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["soak"] = module  # where its dataclass looks for its own name
    spec.loader.exec_module(module)
    return module


GOOD = Counter({("success", "success"): 8, ("error", "error"): 1})


def samples(soak, *, memory: float = 0.0, files: float = 0.0, threads: float = 0.0) -> list:
    """Of a server that grows by so many KB, files and threads a graph, with noise on its memory."""
    noise = random.Random(0)
    return [
        soak.Sample(
            memory=int(1e9 + 1024 * memory * i + noise.gauss(0, 5e6)),
            files=10 + i % 2 + int(files * i),
            threads=5 + int(threads * i),
        )
        for i in range(500)
    ]


@pytest.mark.parametrize("growth", [0.0, 40.0])
def test_flat_memory_passes(soak, tmp_path, capsys, growth) -> None:
    assert soak.report(samples(soak, memory=growth), GOOD, tmp_path) == 0
    assert "slope" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("growth", "said"),
    [
        ({"memory": 200.0}, "memory grows"),
        ({"files": 0.02}, "files grow by"),
        ({"threads": 0.02}, "threads grow by"),
    ],
)
def test_growth_fails(soak, tmp_path, capsys, growth, said) -> None:
    assert soak.report(samples(soak, **growth), GOOD, tmp_path) == 1
    assert said in capsys.readouterr().out


def test_a_graph_that_ends_otherwise_fails(soak, tmp_path, capsys) -> None:
    ends = GOOD + Counter({("success", "error"): 1})
    assert soak.report(samples(soak), ends, tmp_path) == 1
    assert "1 graphs should end with success, but ended with error" in capsys.readouterr().out


def test_slope(soak) -> None:
    assert soak.slope([5.0, 7.0, 9.0]) == pytest.approx(2.0)


def test_every_graph_differs_and_every_one_can_fail(soak) -> None:
    rng = random.Random(0)
    for name in soak.GRAPHS:
        first, second = (soak.make_prompt(name, rng, fails=False) for _ in range(2))
        assert first != second
        assert {node["class_type"] for node in first.values()} & set(soak.BAD) - {"LoadImage"}
