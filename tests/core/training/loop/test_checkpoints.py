"""Checkpoints: damaged ones, a full disk, old ones; and the log beside them."""

import errno
import json
import os
import shutil
import sys
import types

import pytest
import torch
from loop_cases import RandomTask, lines, run
from safetensors import SafetensorError
from safetensors.torch import save_file

from fcvg_core.errors import UserError
from fcvg_core.training.loop import checkpoints, find_checkpoint, read_trained
from fcvg_core.training.loop import log as log_module


def steps(run_folder) -> list[int]:
    """Steps of all checkpoints; nothing else lies beside them."""
    return sorted(
        int(path.name.removeprefix("step-")) for path in (run_folder / "checkpoints").iterdir()
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of six steps with checkpoints at 2, 4 and 6."""
    folder = tmp_path_factory.mktemp("finished")
    run(folder)
    return folder


@pytest.fixture
def copied(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "run")


def cut(path, size=-1):
    path.write_bytes(path.read_bytes()[:size])


def rewrite(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


DAMAGE = {
    "a file is cut off": lambda at: cut(at / "trained.safetensors"),
    "a file is empty": lambda at: cut(at / "optimizer.safetensors", 0),
    "a file is missing": lambda at: (at / "ema.safetensors").unlink(),
    "a header is broken": lambda at: (at / "ema.safetensors").write_bytes(
        b"\xff" * (at / "ema.safetensors").stat().st_size
    ),
    "the state is missing": lambda at: (at / "state.json").unlink(),
    "the state is cut off": lambda at: cut(at / "state.json", 40),
    "the state is of another version": lambda at: rewrite(at / "state.json", version=2),
    "the state is of another step": lambda at: rewrite(at / "state.json", step=4),
    "the state lists no files": lambda at: rewrite(at / "state.json", files={"x": 1}),
    "the state has no settings": lambda at: rewrite(at / "state.json", settings=None),
    "the state has no count": lambda at: rewrite(at / "state.json", skipped="2"),
}


class TestDamage:
    @pytest.mark.parametrize("what", DAMAGE)
    def test_the_checkpoint_before_is_taken_and_said(self, copied, finished, what, caplog):
        DAMAGE[what](copied / "checkpoints/step-000006")
        assert find_checkpoint(copied).step == 4
        assert "step-000006 is damaged" in caplog.text and "before it is taken" in caplog.text

    def test_one_that_a_run_removes_while_it_is_read(self, copied):
        checkpoint = find_checkpoint(copied)
        shutil.rmtree(checkpoint.path)
        with pytest.raises(UserError, match="is gone or damaged"):
            checkpoint.trained()

    def test_training_goes_on_from_there_and_replaces_it(self, copied, finished):
        cut(copied / "checkpoints/step-000006/trained.safetensors")
        task = RandomTask()
        run(copied, task=task, resume=True, keep=1)
        assert len(task.asked) == 4 and steps(copied) == [6]
        for kind in (True, False):
            one, other = (read_trained(folder, ema=kind) for folder in (copied, finished))
            assert all(torch.equal(one[name], other[name]) for name in other)
        assert [line["step"] for line in lines(copied)] == [1, 2, 3, 4, 5, 6]

    def test_no_whole_checkpoint(self, copied):
        for folder in (copied / "checkpoints").iterdir():
            cut(folder / "state.json", 0)
        with pytest.raises(UserError, match="None of the 3 checkpoints"):
            run(copied, resume=True)

    def test_what_a_killed_run_left_is_removed(self, copied):
        left = copied / "checkpoints/.0123456789abcdef.part"
        left.mkdir()
        (left / "trained.safetensors").write_bytes(b"half")
        run(copied, resume=True, steps=7)
        assert steps(copied) == [4, 6, 7]


class TestReading:
    def test_a_run_or_a_checkpoint(self, finished):
        newest = read_trained(finished, ema=False)
        assert newest.keys() == read_trained(finished, ema=True).keys()
        older = read_trained(finished / "checkpoints/step-000004", ema=False)
        assert not torch.equal(newest["unet.0.weight"], older["unet.0.weight"])

    def test_no_run(self, tmp_path):
        with pytest.raises(UserError, match="no checkpoint in .* output folder of a run"):
            read_trained(tmp_path, ema=True)

    def test_a_run_without_averages(self, tmp_path):
        run(tmp_path, steps=1, ema=0.0)
        one, other = (read_trained(tmp_path, ema=kind) for kind in (True, False))
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_oldest_are_removed(tmp_path):
    run(tmp_path, steps=9, keep=2)
    assert steps(tmp_path) == [8, 9]


def full_at(monkeypatch, *saves: int):
    """A disk that is full at some saves, counted from 1, after half a checkpoint."""
    count = [0]

    def save(tensors, path):
        first = str(path).endswith("trained.safetensors")
        count[0] += first
        if count[0] in saves and not first:
            path.write_bytes(b"half")
            raise SafetensorError("I/O error: No space left on device (os error 28)")
        save_file(tensors, path)

    monkeypatch.setattr(checkpoints, "save_file", save)


class TestFullDisk:
    def test_training_goes_on_and_tries_again(self, tmp_path, finished, monkeypatch, caplog):
        full_at(monkeypatch, 1, 2)
        run(tmp_path, every=2, log_every=1, keep=9)
        assert steps(tmp_path) == [4, 6]  # 2 and 3 failed
        assert caplog.text.count("is full") == 2 and "no checkpoint of step 2" in caplog.text
        assert "tries again" in caplog.text
        one, other = (read_trained(folder, ema=False) for folder in (tmp_path, finished))
        assert all(torch.equal(one[name], other[name]) for name in other)

    def test_at_the_last_step_it_is_an_error(self, tmp_path, monkeypatch):
        full_at(monkeypatch, 3)
        with pytest.raises(UserError, match="The disk of .* is full.*Make room"):
            run(tmp_path)
        assert steps(tmp_path) == [2, 4]

    def test_another_error_ends_the_run(self, tmp_path, monkeypatch):
        def save(tensors, path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

        monkeypatch.setattr(checkpoints, "save_file", save)
        with pytest.raises(UserError, match="You may not read or write"):
            run(tmp_path)

    def test_lines_of_the_log_are_lost_which_is_said_once(self, tmp_path, monkeypatch, caplog):
        plain, calls = open, []

        class Full:
            """A file whose end does not fit any more."""

            def __init__(self, *given, **named):
                self.opened = plain(*given, **named)

            def __enter__(self):
                return self

            def write(self, text):
                self.opened.write(text[:5])

            def __exit__(self, *error):
                self.opened.close()
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        def opening(*given, **named):
            calls.append(given)
            return (Full if len(calls) in (2, 3) else plain)(*given, **named)

        monkeypatch.setattr(log_module, "open", opening, raising=False)
        run(tmp_path)
        assert [line["step"] for line in lines(tmp_path)] == [1, 4, 5, 6]
        assert caplog.text.count("Lines of the log are lost") == 1

    def test_a_validation_is_lost(self, tmp_path, caplog):
        def validate(step):
            raise UserError("no room") from OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        assert run(tmp_path, steps=2, validate=validate, validate_every=1).step == 2
        assert "validation of step 1 is lost" in caplog.text

    def test_another_fault_of_validation_ends_the_run(self, tmp_path):
        def validate(step):
            raise UserError("the clip is gone")

        with pytest.raises(UserError, match="the clip is gone"):
            run(tmp_path, validate=validate, validate_every=1)


class TestOutput:
    def test_a_file_in_its_place(self, tmp_path):
        (tmp_path / "out").write_text("")
        with pytest.raises(UserError, match="out already exists"):
            run(tmp_path / "out")

    def test_a_log_that_was_cut_off_goes_on(self, copied):
        log = copied / "log.jsonl"
        log.write_text(log.read_text() + '{"step": 6, "lo')
        run(copied, resume=True, steps=7)
        assert [line["step"] for line in lines(copied)] == list(range(1, 8))

    def test_a_line_for_several_steps(self, tmp_path):
        task = RandomTask()
        summary = run(tmp_path, task=task, steps=5, log_every=3, schedule="linear", warmup=0)
        first, second = lines(tmp_path)
        assert (first["step"], second["step"]) == (3, 5) and summary.loss == second["loss"]
        assert first.keys() == {"step", "loss", "lr", "grad_norm", "seconds", "skipped"}
        assert first["lr"].keys() == {"unet", "controlnext"}
        assert second["lr"]["unet"] < first["lr"]["unet"]

    def test_tensorboard_where_it_is_installed(self, tmp_path, monkeypatch, caplog):
        written, opened = [], []

        class SummaryWriter:
            def __init__(self, folder, purge_step):
                opened.append((folder, purge_step))

            def add_scalar(self, name, value, step):
                if step == 2:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                written.append((step, name, value))

            def close(self):
                written.append("closed")

        module = types.ModuleType("torch.utils.tensorboard")
        module.SummaryWriter = SummaryWriter
        monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
        measures = {"loss": {"0.1": 2.0, "10": None}}
        run(tmp_path, steps=1, validate=lambda step: measures, validate_every=1)
        assert opened == [(str(tmp_path / "tensorboard"), 1)] and written[-1] == "closed"
        names = [name for _, name, _ in written[:-1]]
        assert {"loss", "lr/unet", "lr/controlnext", "grad_norm"} < set(names)
        assert (1, "validation/loss/0.1", 2.0) in written and "step" not in names
        run(tmp_path, resume=True, steps=4)
        assert opened[1][1] == 2 and [line["step"] for line in lines(tmp_path)][-1] == 4
        assert caplog.text.count("TensorBoard gets no more lines") == 1
