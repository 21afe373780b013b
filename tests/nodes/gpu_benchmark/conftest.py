"""The modules of benchmarks/, which is no package, and a Python without diffusers."""

import importlib.util
import os
import sys

import pytest
from hosts import ROOT, version

BENCHMARKS = ROOT / "benchmarks"
MISSING = ("diffusers", "accelerate", "gdown", "playwright", "pytest")


@pytest.fixture(scope="session")
def benchmark_host(host):
    """The newest host, whose memory management the benchmark is about."""
    if tuple(map(int, version(host).split("."))) < (0, 33):
        pytest.skip("the benchmark is about ComfyUI 0.33 and newer")
    return host


@pytest.fixture(scope="module")
def module(benchmark_host):
    """Import a module of the benchmark: module("gpu_graphs")."""
    sys.path.append(str(BENCHMARKS))
    yield import_module
    sys.path.remove(str(BENCHMARKS))


def import_module(name: str):
    """A module of benchmarks/; gpu by its file, as a clone in a folder `gpu` is a package gpu."""
    if name != "gpu":
        return importlib.import_module(name)
    path = BENCHMARKS / "gpu.py"
    spec = importlib.util.spec_from_file_location("fcvg_gpu_benchmark", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def whole(tmp_path_factory) -> dict:
    """Environment of a quiet Python on the CPU."""
    return {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def bare(whole, tmp_path_factory) -> dict:
    """Environment of a Python that lacks what a bare machine lacks."""
    folder = tmp_path_factory.mktemp("bare")
    for name in MISSING:
        (folder / f"{name}.py").write_text(f'raise ImportError("{name} is not here")\n', "utf-8")
    return {**whole, "PYTHONPATH": str(folder)}
