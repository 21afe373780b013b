"""The command line, in this process and in a process of its own."""

import contextlib
import errno
import io
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import SMALL, fails, pictures

from fcvg_core.errors import ISSUES, UserError
from fcvg_core.standalone import run_models
from fcvg_core.standalone.cli.commands import samples
from fcvg_core.standalone.cli.main import main

ROOT = Path(__file__).parents[4]
pytestmark = pytest.mark.usefixtures("models")


class TestFailures:
    """Of a command that does nothing but fail."""

    def fails(self, monkeypatch, error: BaseException) -> int:
        def fail(options):
            raise error

        monkeypatch.setattr(samples, "run", fail)
        return main(["sample-frames", "x"])

    def test_interrupt(self, monkeypatch, capsys) -> None:
        assert self.fails(monkeypatch, KeyboardInterrupt()) == 130
        assert capsys.readouterr().err == "Interrupted.\n"

    @pytest.mark.parametrize(
        ("error", "message"),
        [
            (UserError("The file a is none."), "The file a is none."),
            (
                PermissionError(errno.EACCES, "Permission denied", "a"),
                "You may not read or write a: change its permissions, or choose another path.",
            ),
            (FileNotFoundError(errno.ENOENT, "Nothing", b"a"), "There is no file or folder a."),
            (
                OSError(errno.ENOSPC, "No space left on device"),
                "A file can't be read or written: No space left on device.",
            ),
            (MemoryError(), "The computer's memory ran out. Try a smaller size, or fewer frames."),
        ],
    )
    def test_a_sentence_for_the_user(self, monkeypatch, capsys, error, message) -> None:
        monkeypatch.delenv("FCVG_DEBUG", raising=False)
        assert self.fails(monkeypatch, error) == 2
        assert capsys.readouterr().err == f"Error: {message}\n"

    @pytest.mark.parametrize("value", ["", "0", "1"])
    def test_a_traceback_on_demand(self, monkeypatch, capsys, value) -> None:
        monkeypatch.setenv("FCVG_DEBUG", value)
        assert self.fails(monkeypatch, UserError("a")) == 2
        lines = capsys.readouterr().err.splitlines()
        assert lines[-1] == "Error: a" and ("Traceback" in lines[0]) is (value == "1")

    @pytest.mark.parametrize("error", [ValueError("a"), KeyError("a"), RuntimeError("a")])
    def test_a_fault_of_the_program(self, monkeypatch, capsys, error) -> None:
        with pytest.raises(SystemExit) as stopped:
            self.fails(monkeypatch, error)
        assert stopped.value.code == 1
        lines = capsys.readouterr().err.splitlines()
        assert lines[0].startswith("Traceback") and type(error).__name__ in lines[-2]
        assert f"report it at {ISSUES} " in lines[-1] and "fcvg_core doctor" in lines[-1]

    @pytest.mark.skipif(os.name == "nt", reason="needs a signal of Unix")
    @pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
    def test_a_signal_leaves_no_part_of_a_file(self, tmp_path, monkeypatch, name, code) -> None:
        import safetensors.torch
        import torch

        def stop(tensors, path, metadata):
            Path(path).write_bytes(bytes(1000))
            os.kill(os.getpid(), number)

        number = getattr(signal, name)
        torch.save({"a": torch.zeros(3)}, tmp_path / "a.pth")
        monkeypatch.setattr(safetensors.torch, "save_file", stop)
        before = signal.signal(number, signal.SIG_DFL)
        try:
            assert main(["models", "--convert", str(tmp_path / "a.pth")]) == code
        finally:
            signal.signal(number, before)
        assert os.listdir(tmp_path) == ["a.pth"]

    def test_where_to_report_it(self) -> None:
        tomllib = pytest.importorskip("tomllib")  # Python 3.11
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert f"{project['urls']['Repository']}/issues" == ISSUES


class Lost(io.StringIO):
    """A stream that takes nothing."""

    def __init__(self, number: int):
        super().__init__()
        self.number = number

    def write(self, text: str) -> int:
        raise OSError(self.number, os.strerror(self.number))


class TestStreams:
    """Standard output and error that are closed, full or read no more."""

    @pytest.mark.parametrize("number", [errno.EPIPE, errno.ENOSPC, errno.EIO, None])
    @pytest.mark.parametrize("name", ["stdout", "stderr"])
    def test_a_run_goes_on(self, pair, tmp_path, monkeypatch, name, number) -> None:
        out = tmp_path / "out"
        monkeypatch.setattr(sys, name, Lost(number) if number else None)
        command = ["inbetween", *pair, "-o", str(out), *SMALL]
        painted = number == errno.EPIPE
        assert main([*command, *([] if painted else ["--conditions-only"])]) == 0
        assert len(pictures(out / ("frames" if painted else "condition"))) == 4
        made = ["condition", *(["frames", "result.mp4"] if painted else []), "run.json"]
        assert sorted(os.listdir(out)) == made

    @pytest.mark.parametrize(
        ("number", "code"), [(errno.EPIPE, 0), (errno.ENOSPC, 1), (errno.EIO, 1), (None, 1)]
    )
    @pytest.mark.parametrize("command", [["models"], ["models", "--json"], ["pose", "--help"]])
    def test_a_list_that_is_lost(self, monkeypatch, capsys, command, number, code) -> None:
        monkeypatch.setattr(sys, "stdout", Lost(number) if number else None)
        try:
            found = main(command)
        except SystemExit as stopped:
            found = stopped.code
        assert found == code
        assert ("Standard output can't be written" in capsys.readouterr().err) is bool(code)

    def test_a_run_says_that_its_report_is_lost(self, tmp_path, monkeypatch, capsys) -> None:
        monkeypatch.setattr(sys, "stdout", Lost(errno.ENOSPC))
        assert main(["sample-frames", str(tmp_path), "--height", "64", "--width", "64"]) == 0
        assert capsys.readouterr().err == (
            "Standard output can't be written (No space left on device); the files are all "
            "written.\n"
        )

    def test_a_terminal_that_knows_ascii_alone(self, tmp_path, monkeypatch) -> None:
        content = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(content, encoding="ascii"))
        monkeypatch.setenv("FCVG_MODELS", str(tmp_path / "\u65e5"))
        assert main(["models"]) == 0
        assert b"\\u65e5 (there is no such folder)" in content.getvalue()


class TestOutput:
    """The folder of a run, as the commands use it."""

    def test_room_is_looked_for_before_models_are_loaded(
        self, pair, small_disk, monkeypatch, capsys
    ) -> None:
        monkeypatch.setattr(
            run_models.RunModels, "load", lambda *given: pytest.fail("there is no room")
        )
        disk = small_disk(80_000)
        message = fails(capsys, *pair, "-o", str(disk / "out"), *SMALL)
        assert f"The disk of {disk / 'out'} has 82 kB free" in message
        assert not os.listdir(disk)

    def test_painted_frames_have_their_room(self, pair, small_disk, monkeypatch) -> None:
        """Somebody fills the disk while they are painted."""
        disk = small_disk(400_000)
        load = run_models.RunModels.load

        def fill_and_load(self, *given):
            with (disk / "other").open("wb", buffering=0) as other, contextlib.suppress(OSError):
                while other.write(bytes(4096)):
                    pass
            return load(self, *given)

        monkeypatch.setattr(run_models.RunModels, "load", fill_and_load)
        assert main(["inbetween", *pair, "-o", str(disk / "out"), *SMALL]) == 0
        assert len(pictures(disk / "out" / "frames")) == 4

    def test_full_disk_of_a_conversion(self, small_disk, capsys) -> None:
        import torch

        disk = small_disk(500_000)
        torch.save({"a": torch.zeros(100_000)}, disk / "a.pth")
        assert main(["models", "--convert", str(disk / "a.pth")]) == 2
        message = capsys.readouterr().err
        assert "a.safetensors can't be written" in message and "kB are free. Make" in message
        assert os.listdir(disk) == ["a.pth"]

    @pytest.mark.parametrize("command", ["inbetween", "match", "pose", "sample-frames"])
    def test_full_disk(self, pair, dwpose, small_disk, capsys, command) -> None:
        disk = small_disk(8192)
        (disk / "other").write_bytes(bytes(8192))
        options = {
            "inbetween": [*pair, *SMALL, "--conditions-only", "-o"],
            "match": [*pair, "-o"],
            "pose": [*pair, *dwpose, "-o"],
            "sample-frames": ["--height", "64", "--width", "64"],
        }
        assert main([command, *options[command], str(disk / "a" / "b")]) == 2
        message = capsys.readouterr().err.splitlines()[-1]
        assert f"The disk of {disk / 'a' / 'b'}" in message
        assert "is full. 0 kB are free. Make room" in message
        assert os.listdir(disk) == ["other"]

    def test_all_is_checked_before_anything_is_made(self, pair, tmp_path, monkeypatch, capsys):
        conditions = "fcvg_core.standalone.preview.find_motion"
        monkeypatch.setattr(conditions, lambda *given, **more: pytest.fail("too early"))
        for option in ("--matches", "--gluestick", "--superpoint", "--dwpose-det", "--unet"):
            missing = str(tmp_path / "missing")
            message = fails(capsys, *pair, "-o", str(tmp_path / "a"), *SMALL, option, missing)
            assert "There is no" in message and missing in message
        message = fails(
            capsys,
            *pair,
            "-o",
            str(tmp_path / "a"),
            *SMALL,
            "--poses",
            *pair[:1],
            str(tmp_path / "missing"),
        )
        assert "There is no file" in message and os.listdir(tmp_path) == []

    @pytest.mark.skipif(os.name == "nt", reason="names of Unix")
    def test_names_that_no_text_is(self, pair, tmp_path, capsys) -> None:
        folder = tmp_path / "\udcff\u00e9"
        folder.mkdir()
        first, last = (shutil.copy(path, folder / f"{i}\udcfe.png") for i, path in enumerate(pair))
        command = ["inbetween", str(first), str(last), *SMALL, "--conditions-only"]
        assert main([*command, "-o", str(folder / "out\udcfd")]) == 0
        assert main(["inbetween", "--run", str(folder / "out\udcfd" / "run.json")]) == 0
        frames = pictures(folder / "out\udcfd" / "condition")
        assert np.array_equal(pictures(folder / "out\udcfd_0001" / "condition"), frames)
        assert "out\\udcfd_0001" in capsys.readouterr().out

    def test_models_of_such_a_name_are_refused(self, pair, stand_ins, tmp_path, capsys) -> None:
        unet = shutil.copy(stand_ins / "unet.safetensors", tmp_path / "\udcff.safetensors")
        message = fails(capsys, *pair, "-o", str(tmp_path / "out"), *SMALL, "--unet", str(unet))
        assert "not text in UTF-8: rename it" in message and not (tmp_path / "out").exists()


class TestProcess:
    def run(self, *arguments: str, code: str | None = None) -> subprocess.CompletedProcess:
        command = ["-c", code] if code else ["-m", "fcvg_core", *arguments]
        return subprocess.run(
            [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=120
        )

    def test_by_its_path(self, tmp_path) -> None:
        """With a Python that looks for modules neither in this folder nor beside the program."""
        command = [sys.executable, "-I", str(ROOT / "fcvg_core"), "models", "--mode", "inbetween"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0 and "FCVG's UNet" in done.stdout, done.stderr

    @pytest.mark.skipif(os.name == "nt", reason="needs a shell of Unix")
    def test_somebody_reads_the_first_line_alone(self) -> None:
        command = f"{shlex.quote(sys.executable)} -m fcvg_core models | head -n 1"
        done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True)  # noqa: S602
        assert done.stdout.count("\n") == 1 and not done.stderr

    def test_help_imports_nothing_heavy(self) -> None:
        code = (
            "import sys\nfrom fcvg_core.standalone.cli.main import main\n"
            "try: main(['inbetween', '--help'])\nexcept SystemExit: pass\n"
            "print(sorted({'torch', 'cv2', 'diffusers', 'av'} & set(sys.modules)))"
        )
        assert self.run(code=code).stdout.splitlines()[-1] == "[]"
