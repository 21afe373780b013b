"""Runs that a signal or a crash ends, and runs of several processes."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from hosts import ROOT
from loop_cases import RandomTask, run

from fcvg_core.errors import UserError
from fcvg_core.signals import Interrupted
from fcvg_core.training.config import TrainingMachine
from fcvg_core.training.loop import find_checkpoint, read_trained, training
from fcvg_core.training.loop.machine import Place, open_place
from fcvg_core.training.loop.run import Run

PROGRAM = ROOT / "tests/loop_cases.py"
LONG = {"steps": 40, "every": 3}  # a run that is ended from outside


def start(output, changes: dict, **environment) -> subprocess.Popen:
    """A run in a process of its own, which says each of its steps."""
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(output), json.dumps(changes)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
        | {"OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process: subprocess.Popen, step: int) -> None:
    for line in process.stdout:
        if line.strip() == str(step):
            return
    pytest.fail(f"the run ended before step {step}: {process.stderr.read()}")


def same_as_uninterrupted(output, tmp_path, **changes) -> None:
    run(tmp_path / "whole", **changes)
    for ema in (True, False):
        one, other = (read_trained(folder, ema=ema) for folder in (output, tmp_path / "whole"))
        assert one.keys() == other.keys() and all(torch.equal(one[n], other[n]) for n in one)


class TestSignals:
    def test_the_step_ends_and_a_checkpoint_is_saved(self, tmp_path, caplog):
        task = RandomTask()
        plain = task.losses

        def pressed(network, samples, chance):
            if task.calls == 6:  # in the middle of step 4
                signal.raise_signal(signal.SIGINT)
            return plain(network, samples, chance)

        task.losses = pressed
        with caplog.at_level("INFO"), pytest.raises(Interrupted) as stop:
            run(tmp_path / "run", task=task, every=99)
        assert stop.value.exit_code == 130 and find_checkpoint(tmp_path / "run").step == 4
        assert "A checkpoint of step 4 is saved" in caplog.text
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        run(tmp_path / "run", resume=True)
        same_as_uninterrupted(tmp_path / "run", tmp_path)

    def test_a_validation_ends_at_once_and_the_weights_are_the_networks_own(self, tmp_path):
        task = RandomTask()

        def validate(step):
            if step:
                signal.raise_signal(signal.SIGTERM)
                pytest.fail("the validation went on")
            return {}

        with pytest.raises(Interrupted) as stop:
            run(tmp_path / "run", task=task, every=99, validate=validate, validate_every=3)
        assert stop.value.exit_code == 143 and find_checkpoint(tmp_path / "run").step == 3
        run(tmp_path / "run", resume=True)
        same_as_uninterrupted(tmp_path / "run", tmp_path)

    def test_of_several_processes_none_ends_between_two_steps(self, tmp_path, monkeypatch):
        """The others would wait for it: it takes one more step, in which it tells them."""
        place = replace(open_place(TrainingMachine(device="cpu")), processes=2)
        monkeypatch.setattr(training, "open_place", lambda machine: place)
        for name in ("share", "average", "mean", "highest"):
            monkeypatch.setattr(Place, name, lambda self, value: value)

        def is_validated(run):
            if run.done == 2:
                signal.raise_signal(signal.SIGTERM)

        monkeypatch.setattr(Run, "_is_validated", is_validated)
        with pytest.raises(Interrupted) as stop:
            run(tmp_path / "run", every=99)
        assert stop.value.exit_code == 143 and find_checkpoint(tmp_path / "run").step == 3

    def test_a_disk_that_is_full_then_hides_no_signal(self, tmp_path, monkeypatch, caplog):
        from fcvg_core.training.loop import keeping

        def full(*given):
            from fcvg_core.errors import UserError

            raise UserError("The disk is full.")

        monkeypatch.setattr(keeping, "write_checkpoint", full)
        with pytest.raises(Interrupted):
            run(
                tmp_path,
                every=99,
                progress=lambda *given: signal.raise_signal(signal.SIGINT),
            )
        assert "no checkpoint of step 1. The disk is full." in caplog.text


@pytest.mark.slow  # a process of its own, which imports torch
def test_a_run_goes_on_after_kill_9_at_any_moment(tmp_path):
    output = tmp_path / "run"
    chance = random.Random()
    process = start(output, {**LONG, "pause": 0.002})
    wait_for(process, chance.randint(4, 30))
    try:
        process.wait(timeout=chance.uniform(0, 0.02))
    except subprocess.TimeoutExpired:
        process.kill()
    process.communicate()
    checkpoint = find_checkpoint(output)
    assert checkpoint.step >= 3
    assert run(output, resume=True, **LONG).step == 40
    assert not list((output / "checkpoints").glob(".*"))
    same_as_uninterrupted(output, tmp_path, **LONG)


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without a signal")
@pytest.mark.slow  # two processes, which import torch and accelerate
def test_two_processes_train_as_one_and_end_together(tmp_path):
    """Two processes of one clip are one process of two clips; a signal to one ends both."""
    pytest.importorskip("accelerate")
    output, changes = tmp_path / "two", {"every": 9999, "noisy": False}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    together = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    first, second = (
        start(output, {**changes, "steps": 5000, "pause": 0.01}, RANK=n, LOCAL_RANK=n, **together)
        for n in ("0", "1")
    )
    wait_for(first, 3)
    second.send_signal(signal.SIGTERM)
    said = [process.communicate(timeout=300)[1] for process in (first, second)]
    assert [first.returncode, second.returncode] == [143, 143], "\n".join(said)
    two = find_checkpoint(output)
    assert two.step >= 3 and two.state["settings"]["processes"] == 2
    run(tmp_path / "one", task=RandomTask(noisy=False), steps=two.step, batch=2, every=9999)
    one = find_checkpoint(tmp_path / "one")
    for there, here in ((two.trained(), one.trained()), (two.optimizer(), one.optimizer())):
        assert there.keys() == here.keys()  # a parameter without a gradient has no moments
        for name, value in here.items():
            torch.testing.assert_close(there[name], value, rtol=1e-5, atol=1e-6)


def test_a_folder_has_one_run_at_a_time(tmp_path):
    """The lock ends with its process, however that ends."""
    folder = tmp_path / "run"
    first = start(folder, LONG | {"pause": 0.05})
    wait_for(first, 3)
    before = (folder / "log.jsonl").read_text()
    with pytest.raises(UserError, match="Another process is training in"):
        run(folder, resume=True, **LONG)
    assert (folder / "log.jsonl").read_text().startswith(before)
    first.kill()
    first.communicate()
    assert run(folder, resume=True, **LONG).step == 40
    same_as_uninterrupted(folder, tmp_path, **LONG)
