"""Measures `batch` with pairs that sleep, and kills it: every figure is a ratio of one run.

    .venv/bin/python benchmarks/batch.py [speed memory kill ray] [--pairs 10000]

speed   1, 2, 4 and 8 workers: how nearly twice the workers do twice the pairs, and what a pair
        costs besides its own work
memory  of the driver, for 100 pairs and for all
kill    kill -9 of a worker every 3 seconds, and of the driver twice; it is started again
ray     several raylets on this machine, as if they were machines; one is removed in the middle,
        and actors and drivers are killed as above. It needs ray

Without names all but ray are run, in about 20 minutes. Each run uses the command itself: a
manifest, content keys, leases, ledger, and results that are synced to the disk. Afterwards each
pair must have one whole result and one line "done" in the ledger, and nothing may be left over:
otherwise the exit code is 1. Workers sleep while others work, so two cores serve 8 workers.
"""

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from sleeping_work import NAME, RESULT  # noqa: E402

from fcvg_core.batch.driver.ledger import read_ledger  # noqa: E402
from fcvg_core.batch.store import open_store  # noqa: E402

PROGRAM = ROOT / "benchmarks" / "sleeping_work.py"
WORKERS = (1, 2, 4, 8)
FEW = 100  # pairs
PICTURES = 100  # files that the pairs share
SYNCS = 50
TICK = 0.1  # seconds between two looks at a driver
MB = 1024 * 1024
# What no run leaves; what a killed write leaves begins with a dot, and nobody reads it.
ENDINGS = ("claims/[!.]*", "failed/*", ".partial/*/*", "drivers/[!.]*")


@dataclass
class Run:
    """A batch in a folder of its own.

    Attributes:
        count: of pairs.
        sleeps: seconds that a pair takes.
        kills: how often something was killed, by its name.
        memory: largest memory of a driver, in bytes.
        seconds: from the start of the first driver to the end of the last one.
    """

    folder: Path
    count: int
    sleeps: float
    workers: int
    more: tuple[str, ...] = ()
    kills: Counter = field(default_factory=Counter)
    memory: int = 0
    seconds: float = 0.0

    @property
    def out(self) -> Path:
        """The folder of the results."""
        return self.folder / "out"

    def write(self) -> None:
        """Write the manifest and its files."""
        rng = random.Random(0)
        for number in range(PICTURES):
            (self.folder / f"{number}.png").write_bytes(rng.randbytes(2000))
        rows = (
            {
                "id": f"pair {number:06d}",
                "first": f"{number % PICTURES}.png",
                "last": f"{(number + 1) % PICTURES}.png",
                "seconds": self.sleeps,
            }
            for number in range(self.count)
        )
        text = "".join(f"{json.dumps(row)}\n" for row in rows)
        (self.folder / "pairs.jsonl").write_text(text)

    def start(self) -> psutil.Popen:
        """Start a driver."""
        command = [sys.executable, str(PROGRAM), "batch", str(self.folder / "pairs.jsonl")]
        command += ["-o", str(self.out), "--mode", NAME, "--no-report"]
        command += ["--workers", str(self.workers), *self.more]
        path = os.pathsep.join([str(ROOT), str(PROGRAM.parent)])
        with (self.folder / "log.txt").open("ab") as log:
            return psutil.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            )

    def watch(self, driver: psutil.Popen) -> bool:
        """Look at a driver after a tick; False if it has ended."""
        try:
            driver.wait(TICK)
            return False
        except psutil.TimeoutExpired:
            pass
        try:
            self.memory = max(self.memory, driver.memory_info().rss)
        except psutil.NoSuchProcess:
            return False
        return True

    def done(self) -> int:
        """Number of results."""
        return len(os.listdir(self.out / "results")) if (self.out / "results").is_dir() else 0

    def pace(self) -> float:
        """Pairs a second while all workers work: without their start, and without the end."""
        lines = read_ledger(open_store(str(self.out)))
        times = sorted(
            datetime.fromisoformat(line["time"]) for line in lines if line["state"] == "done"
        )
        begin, end = max(self.workers, len(times) // 10), len(times) - self.workers
        return (end - begin) / (times[end] - times[begin]).total_seconds()

    def faults(self) -> list[str]:
        """Whatever is not as it should be when all pairs are done."""
        wanted = {f"pair {number:06d}" for number in range(self.count)}
        names = sorted(open_store(str(self.out)).done())
        found = Counter(name[:-13] for name in names)
        lines = Counter(
            line["id"] for line in read_ledger(open_store(str(self.out))) if line["state"] == "done"
        )
        faults = []
        for what, counted in (("result", found), ("line 'done'", lines)):
            wrong = sorted(id for id in wanted | set(counted) if counted[id] != 1)
            faults += [f"{id}: {what} {counted[id]} times" for id in wrong[:5]]
            faults += [f"{len(wrong)} pairs have not one {what}"] if wrong else []
        broken = [name for name in names if not _is_whole(self.out / "results" / name)]
        left = [str(path) for ending in ENDINGS for path in self.out.glob(ending)]
        faults += [f"{name} is not whole" for name in broken[:5]]
        return faults + [f"{path} is left over" for path in left[:5]]


def _is_whole(folder: Path) -> bool:
    """Whether a result has what its record says."""
    record = json.loads((folder / "record.json").read_text("utf-8"))
    sizes = {name: (folder / name).stat().st_size for name in record["files"]}
    return RESULT in sizes and sizes == record["files"]


@dataclass(frozen=True)
class Event:
    """Something that is killed when a share of the pairs is done."""

    share: float
    name: str
    act: Callable[[psutil.Popen], Any]


@contextmanager
def new_run(count: int, options: argparse.Namespace, workers: int, *more: str) -> Iterator[Run]:
    """A run in a new folder, which is removed."""
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        run = Run(Path(folder), count, options.seconds, workers, more)
        run.write()
        yield run


def go_on(
    run: Run,
    *,
    events: Sequence[Event] = (),
    every: float = 0.0,
    most: int | None = None,
    of: psutil.Process | None = None,
) -> list[str]:
    """Run a batch to its end, and kill parts of it; a driver that was killed is started again.

    Args:
        events: in the order of their shares.
        every: seconds after which a worker is killed; 0: none is.
        most: how many workers are killed; None: until the end.
        of: the process that has the workers below it; None: the driver.

    Returns:
        What is wrong at the end.
    """
    rng = random.Random(0)
    begun = killed = time.monotonic()
    left = list(events)
    driver = run.start()
    try:
        while run.watch(driver) or driver.returncode == -signal.SIGKILL:
            if driver.returncode is not None:
                driver = run.start()
            elif left and run.done() >= run.count * left[0].share:
                run.kills[left[0].name] += 1
                left.pop(0).act(driver)
            elif every and time.monotonic() - killed > every and run.kills["worker"] != most:
                workers = _workers(of or driver)
                if workers and run.done():
                    killed = time.monotonic()
                    run.kills["worker"] += 1
                    rng.choice(workers).kill()
    finally:
        if driver.is_running():
            driver.terminate()
        code = driver.wait()
    run.seconds = time.monotonic() - begun
    log = (run.folder / "log.txt").read_text("utf-8", "replace")
    return run.faults() + ([f"the driver ended with {code}: {log[-2000:]}"] if code else [])


def _workers(of: psutil.Process) -> list[psutil.Process]:
    """Processes that do pairs, below a process: those of a driver, or Ray's actors."""
    found = []
    for each in of.children(recursive=True):
        with suppress(psutil.Error):
            words = " ".join(each.cmdline())
            found += [each] if "spawn_main" in words or "RayWorker" in words else []
    return found


def driver_kills(count: int) -> list[Event]:
    """Kill the driver so many times, at equal distances."""
    return [
        Event((number + 1) / (count + 1), "driver", psutil.Popen.kill) for number in range(count)
    ]


def speed(options: argparse.Namespace) -> list[str]:
    """Each number of workers does so many pairs that all of them take the same time."""
    faults, alone = [], 0.0
    print(
        f"\nspeed: pairs of {options.seconds * 1000:.0f} ms; a small file that is synced takes "
        f"{sync_cost(options.folder) * 1000:.2f} ms on this disk, and a result needs four"
    )
    print("workers   pairs   a second   of the ideal   besides its work   start and end")
    for workers in options.workers:
        count = options.pairs * workers // max(options.workers)
        with new_run(count, options, workers) as run:
            faults += go_on(run)
            pace = run.pace()
            alone = alone or pace / workers
            print(
                f"{workers:7d} {count:7d} {pace:10.1f} {pace / workers / alone:14.1%} "
                f"{(workers / pace - run.sleeps) * 1000:15.2f} ms "
                f"{run.seconds - count / pace:13.1f} s",
                flush=True,
            )
    return faults


def sync_cost(folder: Path | None) -> float:
    """Median seconds of a small file that is written and synced; other programs' writes count."""
    costs = []
    for _ in range(SYNCS):
        with tempfile.TemporaryFile(dir=folder) as file:
            begun = time.monotonic()
            file.write(bytes(2000))
            file.flush()
            os.fsync(file.fileno())
            costs.append(time.monotonic() - begun)
    return statistics.median(costs)


def memory(options: argparse.Namespace) -> list[str]:
    """The driver's memory for few pairs and for all."""
    faults, sizes = [], []
    for count in (FEW, options.pairs):
        with new_run(count, options, max(options.workers)) as run:
            faults += go_on(run)
            sizes.append(run.memory / MB)
    print(
        f"\nmemory of the driver: {sizes[0]:.1f} MB for {FEW} pairs, {sizes[1]:.1f} MB for "
        f"{options.pairs}: {sizes[1] - sizes[0]:+.1f} MB, {sizes[1] / sizes[0]:.2f} times",
        flush=True,
    )
    return faults


def kill(options: argparse.Namespace) -> list[str]:
    """Kill workers and drivers, then count."""
    with new_run(options.pairs, options, max(options.workers)) as run:
        events = driver_kills(options.drivers)
        faults = go_on(run, events=events, every=options.every, most=options.most)
        _tell_kills("kill", run)
    return faults


def _tell_kills(name: str, run: Run) -> None:
    least = run.count * run.sleeps / run.workers
    print(
        f"\n{name}: {run.count} pairs, {run.workers} workers: {run.kills['worker']} workers, "
        f"{run.kills['driver']} drivers and {run.kills['node']} nodes killed; {run.done()} results "
        f"in {run.seconds:.1f} s, {run.seconds / least:.2f} times what the pairs alone take",
        flush=True,
    )


def ray(options: argparse.Namespace) -> list[str]:
    """Three nodes of one worker each; one is removed, and workers and drivers are killed."""
    from ray.cluster_utils import Cluster

    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(PROGRAM.parent)])
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    node = [cluster.add_node(num_cpus=1) for _ in range(2)][-1]
    gone = Event(0.5, "node", lambda driver: cluster.remove_node(node, allow_graceful=False))
    events = sorted([*driver_kills(options.drivers), gone], key=lambda event: event.share)
    try:
        with new_run(options.pairs, options, 3, "--ray", cluster.address) as run:
            faults = go_on(
                run, events=events, every=options.every, most=options.most, of=psutil.Process()
            )
            _tell_kills("ray", run)
    finally:
        cluster.shutdown()
    return faults


PARTS = {"speed": speed, "memory": memory, "kill": kill, "ray": ray}


def main(arguments: list[str] | None = None) -> int:
    """Run the parts; returns 1 if a pair was not done once, otherwise 0."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], default=[*PARTS][:3])
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=0.05, help="of a pair (%(default)s)")
    parser.add_argument("--workers", type=int, nargs="+", default=WORKERS)
    parser.add_argument("--every", type=float, default=3.0, help="seconds from kill to kill")
    parser.add_argument("--most", type=int, help="workers that are killed (until the end)")
    parser.add_argument("--drivers", type=int, default=2, help="drivers that are killed (2)")
    parser.add_argument("--folder", type=Path, help="where to work, on the disk to measure")
    options = parser.parse_args(arguments)
    faults = [fault for name in options.parts for fault in PARTS[name](options)]
    for fault in faults:
        print(f"*** {fault}")
    if not faults:
        print("\nEach pair: one whole result, one line in the ledger; nothing is left over.")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
