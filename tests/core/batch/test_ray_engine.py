"""Batches on a small Ray cluster of several nodes on this machine, with GPUs that are only counted.

Ray takes seconds to start a node, and as long to notice that one has gone.
"""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from batch_cases import check_once, run, states, task, tasks
from hosts import ROOT

ray = pytest.importorskip("ray", reason="needs ray: pip install ray")

from ray.cluster_utils import Cluster  # noqa: E402  after it is known that there is ray

from fcvg_core.batch import ray_engine  # noqa: E402
from fcvg_core.batch.ray_engine import RayEngine  # noqa: E402
from fcvg_core.errors import UserError  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Ray has no cluster of nodes on Windows"),
]
GPU_NODE = {"num_cpus": 1, "num_gpus": 1}


@pytest.fixture(scope="module")
def cluster():
    """A head with a GPU; its nodes can import what the tests can."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    head = {**GPU_NODE, "include_dashboard": False}
    started = Cluster(initialize_head=True, head_node_args=head)
    yield started
    started.shutdown()
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


@pytest.fixture
def start(cluster):
    """Start an engine on the cluster; it is closed at the end."""
    engines = []

    def make(folder, **options) -> RayEngine:
        engines.append(RayEngine(str(folder), address=cluster.address, owner="driver", **options))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


def processes(name: str) -> list[int]:
    """Processes of Ray that bear a name."""
    found = subprocess.run(["pgrep", "-f", f"^ray::{name}"], capture_output=True, text=True)
    return [int(pid) for pid in found.stdout.split()]


def test_each_task_is_done_once(start, tmp_path) -> None:
    """Whatever ends the workers: a crash, a device, a kill, an error of the task itself."""
    ends = {"killed": 3, "device": 7, "exit": 11, "connection": 15}
    given = tasks(30, seconds=0.01)
    for act, number in ends.items():
        given[number] = task(given[number].id, act=act, once=tmp_path / f"once {act}")
    summary = run(given, tmp_path / "out", start(tmp_path / "out"))
    assert summary.done == 30 and not summary.reasons
    check_once(tmp_path / "out", given)
    lost = {given[number].id for number in ends.values()}
    assert {id for id, count in states(tmp_path / "out").items() if count["lost"]} == lost
    assert not processes("RayWorker")
    assert not list((tmp_path / "out" / ".partial").glob("*/*"))


def test_a_bad_task_does_not_stop_the_others(start, tmp_path) -> None:
    given = tasks(9)
    given[2] = task("always kills", act="killed")
    given[4] = task("damaged", act="fail")
    summary = run(given, tmp_path / "out", start(tmp_path / "out"))
    assert (summary.done, summary.failed, summary.left) == (7, 2, 0)
    failures = {path.stem[:-13]: path.read_text() for path in (tmp_path / "out/failed").iterdir()}
    assert "The picture a.png is damaged: save it again." in failures["damaged"]
    assert "died" in failures["always kills"]


def test_conditions_are_made_by_other_processes(start, tmp_path) -> None:
    """A process that dies while it makes them takes no worker with it."""
    given = tasks(4)
    given[1] = task("kills", act="killed", stage="prepare", once=tmp_path / "once")
    given[2] = task("fails", act="fail", stage="prepare")
    summary = run(given, tmp_path / "out", start(tmp_path / "out"))
    assert (summary.done, summary.failed) == (3, 1)
    assert not any(count["lost"] for count in states(tmp_path / "out").values())
    failure = next((tmp_path / "out" / "failed").iterdir()).read_text()
    assert "The picture a.png is damaged: save it again." in failure
    assert '"worker": "conditions' in failure.replace('":"', '": "')


def test_a_node_that_comes_and_goes(cluster, start, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(ray_engine, "GROWS", 0.5)
    engine = start(tmp_path / "out")
    assert engine.workers == 1
    leaving = cluster.add_node(**GPU_NODE)
    while engine.workers < 2:
        engine.wait(0.1)
    given = tasks(30, seconds=0.2)
    removed = threading.Timer(1.0, lambda: cluster.remove_node(leaving, allow_graceful=False))
    removed.start()
    summary = run(given, tmp_path / "out", engine)
    removed.join()
    assert summary.done == 30
    check_once(tmp_path / "out", given)


def test_an_engine_that_is_closed_ends_its_actors(start, tmp_path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    engine = start(tmp_path, workers=1)
    assert signal.getsignal(signal.SIGTERM) == before
    engine.start(task(seconds=100.0), attempt=1)
    engine.wait(1.0)
    assert processes("RayWorker")
    engine.close()
    assert not processes("RayWorker")


def test_actors_that_cannot_start_are_given_up(cluster, tmp_path, monkeypatch) -> None:
    """With the reason; they are not started for ever."""
    monkeypatch.setattr(ray_engine, "RayWorker", WorkerWithoutModels)
    with pytest.raises(UserError, match="can do nothing: 3 died .* no weights here") as error:
        RayEngine(str(tmp_path), address=cluster.address, owner="driver")
    assert "\n" not in str(error.value)


def test_actors_that_die_at_every_task_are_given_up(start, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("fcvg_core.batch.workers.ray_slots.DEATHS", 3)
    engine = start(tmp_path, workers=1)
    given = [task(f"task {number}", act="killed", stage="open") for number in range(9)]
    lost = []
    with pytest.raises(UserError, match="can do nothing: 3 died one after the other"):
        for each in given:
            engine.start(each, attempt=2)
            while not (ended := engine.wait(1.0)):
                pass
            lost += ended
    assert [outcome.state for outcome in lost] == ["lost"] * 3


def test_models_that_cannot_be_used(start, tmp_path) -> None:
    given = tasks(5, act="unusable", stage="open")
    summary = run(given, tmp_path / "out", start(tmp_path / "out"))
    assert (summary.done, summary.failed, summary.left) == (0, 0, 5)
    assert summary.reasons == ("The model svd.safetensors is missing: download it.",)


def test_a_store_that_other_processes_do_not_see(cluster) -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(UserError, match="Other processes don't see what is in memory://out"):
        RayEngine("memory://out", address=cluster.address, owner="driver")


def test_nobody_listens(tmp_path) -> None:
    begun = time.monotonic()
    with pytest.raises(UserError, match="Nobody listens at the Ray address 127.0.0.1:9"):
        RayEngine(str(tmp_path), address="127.0.0.1:9", owner="driver")
    assert time.monotonic() - begun < 30


class WorkerWithoutModels:
    """An actor whose worker can't be made."""

    def __init__(self, *given):
        raise OSError("there are\nno weights here")

    def hello(self) -> str:
        return ""
