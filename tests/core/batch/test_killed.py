"""Drivers that are killed anywhere: what they leave, and who goes on."""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest
from hosts import ROOT

from fcvg_core.batch.driver.leases import Leases, clean_partial
from fcvg_core.batch.driver.ledger import Ledger, read_ledger, reconcile
from fcvg_core.batch.store import open_store
from fcvg_core.batch.store.layout import begin

if not sys.platform.startswith("linux"):
    pytest.skip("processes are forked, and told apart by /proc", allow_module_level=True)

NAME = "a-000000000000"
FILES = {"run.json": "{}", "result.mp4": "frames", "inner/frame.png": "frame"}


def drive(store, driver, worker="w"):
    """A driver that does one task as the runner does, and then ends."""
    begin(store)
    leases, ledger = Leases(store, driver), Ledger(store, driver)
    leases._heartbeat.beat()
    clean_partial(store, leases)
    reconcile(store, ledger, leases)
    if not store.is_done(NAME) and leases.take(NAME):
        if not store.is_done(NAME):
            ledger.note(NAME, "started", worker=worker)
            folder = store.workspace(driver, NAME) / "result"
            (folder / "inner").mkdir(parents=True)
            for file, text in FILES.items():
                (folder / file).write_text(text)
            if store.publish(folder, NAME, {"id": "a", "worker": worker}):
                ledger.note(NAME, "done", worker=worker)
        leases.release(NAME)
    clean_partial(store, leases)
    leases.close()
    ledger.close()


def forked(action) -> int:
    """How a process that does this ends: its exit code, or minus the number of a signal."""
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            action()
            os._exit(0)
        os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_at(step, action):
    """Run an action, and kill this process before its step of that number asks the system.

    Every call of the system is a step, and so is every return of one.
    """
    left = step

    def count(frame, event, called):
        nonlocal left
        if event not in ("c_call", "c_return"):
            return
        if getattr(called, "__module__", None) == "posix" or called.__name__ in ("write", "close"):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def run():
        sys.setprofile(count)
        action()
        sys.setprofile(None)

    return forked(run)


def check_whole(store):
    """One whole result, one line of it, and nothing of those that were killed."""
    assert store.done() == {NAME}
    record = store.record(NAME)
    assert record["files"] == {name: len(text) for name, text in sorted(FILES.items())}
    found = [path for path in (store.folder / "results" / NAME).rglob("*") if path.is_file()]
    sizes = {str(path.relative_to(store.folder / "results" / NAME)): path for path in found}
    assert sizes.keys() == {*FILES, "record.json"}
    assert all(sizes[name].read_text() == text for name, text in FILES.items())
    lines = list(read_ledger(store))
    assert [line["state"] for line in lines].count("done") == 1
    assert store.names("claims") == store.names("drivers") == [] and store.owners() == []
    assert not (store.folder / ".partial").exists()


def test_a_driver_that_is_killed_at_any_step(tmp_path):
    """Of a driver, of the one that goes on after it, and a third one ends what they left."""
    step, ends = 0, set()
    while step < 2000:
        store = open_store(str(tmp_path / str(step)))
        code = killed_at(step, lambda store=store: drive(store, "first"))
        ends.add(code)
        killed_at(step * 7 % 311, lambda store=store: drive(store, "second"))
        assert forked(lambda store=store: drive(store, "third")) == 0, step
        check_whole(store)
        if code == 0:
            break
        step += 41  # one after the other takes minutes
    assert ends == {0, -signal.SIGKILL} and step > 300


def fight(address, driver, names, seed):
    """Take tasks at random, and note if another driver has the same task at the same time."""
    store, chance = open_store(address), random.Random(seed)
    leases = Leases(store, driver, ends_after=600)
    leases._heartbeat.beat()
    for _ in range(120):
        name = chance.choice(names)
        if not leases.take(name):
            continue
        mark = store.folder / f"{name}.mark"
        holder = int(mark.read_text() or "0") if mark.exists() else 0
        if holder and os.path.exists(f"/proc/{holder}/fd/0"):
            store.append("double", f"{name}: {driver} beside {holder}\n".encode())
        mark.write_text(str(os.getpid()))
        time.sleep(chance.random() * 0.002)
        mark.unlink()
        leases.release(name)
        store.append("taken", b"1\n")
    leases.close()


def test_drivers_that_are_killed_fight_for_few_tasks(tmp_path):
    """Six drivers, of which one is killed again and again, want four tasks."""
    context, chance = multiprocessing.get_context("fork"), random.Random(1)
    store, names = open_store(str(tmp_path)), [f"{letter}-000000000000" for letter in "abcd"]
    store.write("begun", b"")

    def start(number):
        values = (store.address, f"d{number}", names, number)
        process = context.Process(target=fight, args=values)
        process.start()
        return process

    running = [start(number) for number in range(4)]
    for number in range(4, 18):
        time.sleep(chance.random() * 0.03)
        victim = running.pop(chance.randrange(len(running)))
        victim.kill()
        victim.join()
        running.append(start(number))
    for process in running:
        process.join()
        assert process.exitcode == 0
    assert store.read("double") is None
    assert store.read("taken").count(b"1") > 200
    last = Leases(store, "last", ends_after=600)
    clean_partial(store, last)
    assert store.names("claims") == [] and store.names("drivers") == []


def test_a_ledger_that_is_torn_at_any_byte(tmp_path):
    store = open_store(str(tmp_path))
    Ledger(store, "d1").note(NAME, "done", error='quoted "text"\n and a line')
    whole = store.read("runs.jsonl")
    for size in range(len(whole)):
        store.write("runs.jsonl", whole[:size])
        Ledger(store, "d2").note("b-000000000000", "done")
        states = [line["name"] for line in read_ledger(store)]
        assert states[-1] == "b-000000000000"
        # Without its line break alone the line is whole.
        assert len(states) == (2 if size == len(whole) - 1 else 1)


@pytest.fixture
def small_disk(tmp_path):
    """Runs a program where `disk` is a disk of 400 kB; skipped where no disk can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=400k small {disk}"
    enter = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
    tried = None
    with suppress(OSError):
        tried = subprocess.run([*enter, mount], capture_output=True, timeout=20)
    if tried is None or tried.returncode:
        pytest.skip("this system mounts no small disk")

    def run(program):
        (tmp_path / "program.py").write_text(program)
        command = f"{mount} && exec {sys.executable} {tmp_path}/program.py {disk}"
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [*enter, command], capture_output=True, text=True, env=environment, timeout=60
        )

    return run


FULL = """
import json, sys
from pathlib import Path
from fcvg_core.batch.driver.leases import Leases
from fcvg_core.batch.driver.ledger import Ledger, read_ledger
from fcvg_core.batch.store import is_full, open_store
from fcvg_core.errors import UserError
store = open_store(sys.argv[1] + "/out")
leases, ledger = Leases(store, "d"), Ledger(store, "d")
leases.start()
assert leases.take("a-000000000000")
folder = store.workspace("d", "a-000000000000") / "result"
folder.mkdir()
(folder / "result.mp4").write_bytes(b"1" * 1000)
filler = Path(sys.argv[1], "filler")
with filler.open("wb", buffering=0) as opened:
    try:
        while True:
            opened.write(b"x" * 4096)
    except OSError:
        pass
said = []
steps = [
    lambda: store.publish(folder, "a-000000000000", {"id": "a" * 5000}),
    lambda: store.write("failed/a.json", b"x" * 9000),
    lambda: store.create("claims/b.0", b"x" * 9000),
    lambda: [ledger.note("a-000000000000", "started", error="x" * 50) for _ in range(120)],
]
for step in steps:
    try:
        step()
        said.append("nothing")
    except UserError as error:
        said.append(f"{is_full(error)} {error}")
left = [path.name for path in Path(sys.argv[1], "out").rglob(".*.part")]
filler.unlink()
leases.still_held("a-000000000000")
published = store.publish(folder, "a-000000000000", {"id": "a"})
ledger.note("a-000000000000", "done")
lines = [line["state"] for line in read_ledger(store)]
leases.close()
print(json.dumps({"said": said, "left": left, "published": published, "lines": lines}))
"""


def test_a_disk_that_is_full_in_the_middle(small_disk):
    done = small_disk(FULL)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for said in found["said"]:
        assert said.startswith("True The disk of ") and "is full" in said
        assert "Make room there" in said
    assert found["left"] == [] and found["published"] is True
    assert set(found["lines"]) == {"started", "done"} and found["lines"][-1] == "done"
