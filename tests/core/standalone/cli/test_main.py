"""The command line, in this process and in one of its own."""

import contextlib
import errno
import importlib.util
import io
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fcvg_core.errors import ISSUES, UserError
from fcvg_core.standalone import run_models
from fcvg_core.standalone.cli.commands import samples
from fcvg_core.standalone.cli.main import main
from fcvg_core.standalone.demo.scene import draw_sample_pair
from fcvg_core.standalone.media.pictures import read_keyframes
from fcvg_core.standalone.spec import InbetweenSpec

ROOT = Path(__file__).parents[4]
SMALL = ["--height", "64", "--width", "128", "--frames", "4", "--steps", "1"]


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> list[str]:
    """Two sample frames, of a size that is no run's."""
    folder = tmp_path_factory.mktemp("frames")
    paths = [str(folder / "first.png"), str(folder / "last.png")]
    for path, frame in zip(paths, draw_sample_pair((96, 160)), strict=True):
        Image.fromarray(frame).save(path)
    return paths


@pytest.fixture(autouse=True)
def models(stand_ins, monkeypatch) -> None:
    monkeypatch.setenv("FCVG_MODELS", str(stand_ins))


def fails(capsys, *arguments: str) -> str:
    """The message of a command that fails; one or two lines, no traceback."""
    assert main(["inbetween", *arguments]) == 2
    printed = capsys.readouterr().err.strip()
    assert "Traceback" not in printed
    return printed.splitlines()[-1]


def pictures(folder: Path) -> np.ndarray:
    return np.stack([np.array(Image.open(path)) for path in sorted(folder.iterdir())])


class TestInbetween:
    def test_a_run_and_the_same_again(self, pair, stand_ins, tmp_path, capsys) -> None:
        out = tmp_path / "out"
        assert main(["inbetween", *pair, "-o", str(out), *SMALL, "--seed", "3"]) == 0
        printed = capsys.readouterr()
        assert str(out / "result.mp4") in printed.out and "noise" in printed.out
        assert all(
            f"{stage}: 100%" in printed.err
            for stage in ("loading", "conditions", "denoising", "decoding")
        )
        assert (out / "result.mp4").stat().st_size > 1000
        assert pictures(out / "condition").shape == (4, 64, 128, 3)
        frames = pictures(out / "frames")

        assert main(["inbetween", "--run", str(out / "run.json")]) == 0
        again = tmp_path / "out_0001"
        assert np.array_equal(pictures(again / "frames"), frames)
        first, second = (json.loads((x / "run.json").read_text()) for x in (out, again))
        assert first == second
        assert first["stand_ins"] and first["options"]["seed"] == 3
        assert first["options"]["color_seed"] == 0
        spec = InbetweenSpec.from_json(first["options"])
        assert first["options"]["version"] == 1 and first["options"] == spec.to_json()
        assert spec.first == Path(pair[0]) and spec.models.unet == stand_ins / "unet.safetensors"

        other = ["--run", str(out / "run.json"), "--seed", "4", "--keep-keyframes"]
        assert main(["inbetween", *other, "-o", str(tmp_path / "other")]) == 0
        conditions = pictures(out / "condition")
        assert np.array_equal(pictures(tmp_path / "other" / "condition"), conditions)
        changed = pictures(tmp_path / "other" / "frames")
        assert (changed[1:-1] != frames[1:-1]).any()
        keyframes = read_keyframes(*map(Path, pair), (64, 128))
        assert np.array_equal(changed[0], keyframes[0])
        assert np.array_equal(changed[-1], keyframes[1])

    def test_names_of_the_reference(self, stand_ins, pair, tmp_path) -> None:
        arguments = [
            "inbetween",
            "--pretrained_model_name_or_path",
            str(stand_ins / "svd"),
            "--controlnext_path",
            str(stand_ins / "controlnext.safetensors"),
            "--unet_path",
            str(stand_ins / "unet.safetensors"),
            "--image1_path",
            pair[0],
            "--image2_path",
            pair[1],
            "--output_dir",
            str(tmp_path / "out"),
            "--control_weight",
            "0.5",
            "--num_inference_steps",
            "1",
            "--height",
            "64",
            "--width",
            "64",
            "--max_frame_num",
            "3",
            "--batch_frames",
            "2",
            "--overlap",
            "1",
            "--max_pts",
            "10",
            "--max_lines",
            "20",
            "--offload",
        ]
        assert main(arguments) == 0
        assert pictures(tmp_path / "out" / "frames").shape == (3, 64, 64, 3)

    def test_conditions_only(self, pair, tmp_path, monkeypatch, capsys) -> None:
        monkeypatch.delenv("FCVG_MODELS")
        arguments = ["inbetween", *pair, "-o", str(tmp_path / "out"), *SMALL]
        assert main([*arguments, "--conditions-only"]) == 0
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
            "condition",
            "run.json",
        ]
        assert str(tmp_path / "out" / "condition") in capsys.readouterr().out

    def test_colors_are_those_of_their_own_seed(self, pair, tmp_path) -> None:
        arguments = ["inbetween", *pair, *SMALL, "--conditions-only", "--matcher", "classic"]
        found = []
        for i, seeds in enumerate(([], ["--seed", "3"], ["--color-seed", "3"])):
            assert main([*arguments, *seeds, "-o", str(tmp_path / f"{i}")]) == 0
            found.append(pictures(tmp_path / f"{i}" / "condition"))
        assert found[0].any() and np.array_equal(found[0], found[1])
        assert not np.array_equal(found[0], found[2])
        run = json.loads((tmp_path / "2" / "run.json").read_text())["options"]
        assert (run["seed"], run["color_seed"]) == (0, 3)

    def test_changed_input_is_said(self, pair, tmp_path, caplog) -> None:
        picture = tmp_path / "first.png"
        Image.open(pair[0]).save(picture)
        arguments = [str(picture), pair[1], *SMALL, "--conditions-only"]
        assert main(["inbetween", *arguments, "-o", str(tmp_path / "out")]) == 0
        Image.new("RGB", (64, 64)).save(picture)
        assert main(["inbetween", "--run", str(tmp_path / "out" / "run.json")]) == 0
        assert f"{picture} is not the file of the earlier run" in caplog.text

    @pytest.mark.parametrize("key", ["first", "last", "matches", "poses", "unet", "model"])
    def test_file_of_an_earlier_run_that_is_gone(self, pair, tmp_path, capsys, key) -> None:
        gone = str(tmp_path / "old" / "place")
        options = {"first": pair[0], "last": pair[1], "height": 64, "width": 64}
        options[key] = [gone, gone] if key == "poses" else gone
        file = tmp_path / "run.json"
        file.write_text(json.dumps({"options": options, "inputs": {}}))
        message = fails(capsys, "--run", str(file), "-o", str(tmp_path / "out"))
        assert f"{file}: {key} is {gone}, which is not there any more" in message
        assert f"give {key.upper() if key in ('first', 'last') else f'--{key}'}." in message
        if key in ("unet", "model"):  # is not needed
            arguments = ["--run", str(file), "--conditions-only", "--frames", "2"]
            assert main(["inbetween", *arguments, "-o", str(tmp_path / "out")]) == 0
        assert fails(
            capsys,
            "--run",
            str(file),
            f"--{key}" if key not in ("first", "last") else f"--image{1 + (key == 'last')}_path",
            *(["typed"] * (2 if key == "poses" else 1)),
        ).count("typed")

    @pytest.mark.parametrize(
        ("command", "options"),
        [("inbetween", {}), ("inbetween", {"first": "a.png"}), ("animate", {"image": "a.png"})],
    )
    def test_earlier_run_without_files(self, tmp_path, capsys, command, options) -> None:
        file = tmp_path / "run.json"
        file.write_text(json.dumps({"options": options, "inputs": {}}))
        assert main([command, "--run", str(file), "-o", str(tmp_path / "out")]) == 2
        assert f"{file} does not name both." in capsys.readouterr().err

    def test_many_changed_inputs(self, pair, tmp_path, caplog) -> None:
        inputs = {str(i): {"path": f"/nowhere/{i}"} for i in range(1000)}
        options = {"first": pair[0], "last": pair[1], "height": 64, "width": 64, "frames": 2}
        file = tmp_path / "run.json"
        file.write_text(json.dumps({"options": options, "inputs": inputs}))
        arguments = ["--run", str(file), "--conditions-only", "-o", str(tmp_path / "out")]
        assert main(["inbetween", *arguments]) == 0
        assert "Neither are 980 more files." in caplog.text and len(caplog.messages) < 30


class TestBadInput:
    def test_one_frame_missing(self, pair, capsys) -> None:
        assert "Two pictures are needed" in fails(capsys, pair[0])
        message = fails(capsys, pair[0], "/no/such.png", *SMALL)
        assert message == "Error: There is no file /no/such.png."

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--frames", "30", "--overlap", "0"], "overlap by 1 to 24 frames, got an overlap"),
            (["--device", "quantum"], "There is no device 'quantum' here"),
            (["--unet", "/no/unet.safetensors"], "There is no file /no/unet.safetensors"),
            (["--model", "/no/svd"], "/no/svd is no folder"),
            (["--run", "/no/run.json"], "There is no file /no/run.json"),
        ],
    )
    def test_messages(self, pair, tmp_path, capsys, arguments, message) -> None:
        out = tmp_path / "out"
        assert message in fails(capsys, *pair, "-o", str(out), *SMALL, *arguments)
        assert not out.exists()

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("--frames", "1"),
            ("--steps", "0"),
            ("--steps", "many"),
            ("--seed", "-1"),
            ("--color-seed", "4294967296"),
            ("--width", "1000"),
            ("--noise-injection-ratio", "1.5"),
            ("--max-guidance", "nan"),
            ("--dtype", "fp8"),
        ],
    )
    def test_options_out_of_bounds(self, pair, capsys, option, value) -> None:
        with pytest.raises(SystemExit) as stopped:
            main(["inbetween", *pair, option, value])
        assert stopped.value.code == 2
        (message,) = capsys.readouterr().err.splitlines()
        assert message.startswith(f"Error: argument {option}")

    def test_edited_run_is_checked(self, pair, tmp_path, capsys) -> None:
        run = {"options": {"first": pair[0], "last": pair[1], "steps": 0}, "inputs": {}}
        (tmp_path / "run.json").write_text(json.dumps(run))
        assert "steps is 0: expected a whole number from 1" in fails(
            capsys, "--run", str(tmp_path / "run.json")
        )

    def test_wrong_model_file(self, stand_ins, pair, tmp_path, capsys) -> None:
        (tmp_path / "unet.safetensors").write_text("404: not found")
        message = fails(
            capsys,
            *pair,
            "-o",
            str(tmp_path / "out"),
            *SMALL,
            "--unet",
            str(tmp_path / "unet.safetensors"),
        )
        assert "unet.safetensors (14 bytes) can't be read as model weights" in message

    def test_missing_package(self, pair, monkeypatch, capsys) -> None:
        find = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: None if name == "diffusers" else find(name)
        )
        assert "diffusers is not installed" in (message := fails(capsys, *pair))
        assert "[standalone]" in message

    def test_folder_that_is_not_ours(self, pair, capsys) -> None:
        assert main(["stand-ins", str(Path(pair[0]).parent)]) == 2
        assert "is not empty" in capsys.readouterr().err

    def test_samples_replace_no_other_picture(self, tmp_path, capsys) -> None:
        Image.new("RGB", (9, 9)).save(tmp_path / "last.png")
        command = ["sample-frames", str(tmp_path), "--height", "64", "--width", "64"]
        assert main(command) == 2
        assert "last.png exists and is another picture" in capsys.readouterr().err
        (tmp_path / "last.png").unlink()
        assert main(command) == main(command) == 0


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
        conditions = "fcvg_core.standalone.inbetween.make_control_frames"
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


class TestMatch:
    def test_what_it_writes_is_taken_back(self, pair, tmp_path, capsys) -> None:
        sized = ["--width", "256", "--height", "128"]
        assert main(["match", *pair, "-o", str(tmp_path / "m"), *sized]) == 0
        assert "lines match" in capsys.readouterr().out
        assert Image.open(tmp_path / "m" / "matches.png").size == (512, 128)
        common = ["inbetween", *pair, "--conditions-only", "--frames", "3", *sized]
        assert main([*common, "-o", str(tmp_path / "a")]) == 0
        given = ["--matches", str(tmp_path / "m" / "matches.json")]
        assert main([*common, "-o", str(tmp_path / "b"), *given]) == 0
        for name in ("00.png", "02.png"):
            one, other = (
                np.asarray(Image.open(tmp_path / x / "condition" / name), int) for x in "ab"
            )
            assert np.array_equal(one, other)

    def test_nothing_is_overwritten(self, pair, tmp_path) -> None:
        for _ in range(2):
            assert main(["match", *pair, "-o", str(tmp_path / "m")]) == 0
        assert (tmp_path / "m_0001" / "matches.json").is_file()

    def test_file_that_is_none(self, pair, tmp_path, capsys) -> None:
        given = ["--matches", str(tmp_path / "none.json"), "--conditions-only"]
        assert main(["inbetween", *pair, *given]) == 2
        assert "There is no file" in capsys.readouterr().err


@pytest.fixture
def dwpose(own_golden) -> list[str]:
    """Options of DWPose's stand-ins, which find two people in any picture."""
    folder = own_golden / "dwpose"
    return [
        "--dwpose-det",
        str(folder / "det_two.onnx"),
        "--dwpose-pose",
        str(folder / "pose_a.onnx"),
    ]


class TestPose:
    def test_what_it_writes_is_taken_back(self, pair, dwpose, tmp_path, capsys) -> None:
        assert main(["pose", *pair, *dwpose, "-o", str(tmp_path / "p")]) == 0
        assert capsys.readouterr().out.count("2 people") == 2
        assert sorted(path.name for path in (tmp_path / "p").iterdir()) == [
            f"{name}{kind}"
            for name in ("first", "last")
            for kind in (".json", ".png", "_preview.png")
        ]
        size = Image.open(pair[0]).size
        assert Image.open(tmp_path / "p" / "first.png").size == size
        # Whole pictures, so that nothing is cropped and the same people are found again.
        sized = ["--width", "320", "--height", "192"]
        common = ["inbetween", *pair, "--conditions-only", "--frames", "3", *sized]
        given = [str(tmp_path / "p" / f"{name}.json") for name in ("first", "last")]
        assert main([*common, "-o", str(tmp_path / "a"), "--poses", *given]) == 0
        with_poses = pictures(tmp_path / "a" / "condition")
        saved = json.loads((tmp_path / "a" / "run.json").read_text())
        assert saved["options"]["poses"] == given and "poses1" in saved["inputs"]
        assert main(["inbetween", "--run", str(tmp_path / "a" / "run.json")]) == 0
        assert np.array_equal(pictures(tmp_path / "a_0001" / "condition"), with_poses)
        assert main([*common, "-o", str(tmp_path / "b")]) == 0
        assert (pictures(tmp_path / "b" / "condition") != with_poses).any()

    def test_cropped_as_inbetween_crops(self, pair, dwpose, tmp_path) -> None:
        """Poses of cropped pictures fit keyframes of the same size exactly."""
        sized = ["--width", "128", "--height", "192"]
        assert main(["pose", *pair, *dwpose, *sized, "-o", str(tmp_path / "p")]) == 0
        assert Image.open(tmp_path / "p" / "first.png").size == (128, 192)
        common = ["inbetween", *pair, "--conditions-only", "--frames", "3", *sized]
        given = [str(tmp_path / "p" / f"{name}.json") for name in ("first", "last")]
        assert main([*common, "-o", str(tmp_path / "a"), "--poses", *given]) == 0
        assert main([*common, "-o", str(tmp_path / "b"), *dwpose]) == 0
        found, read = (pictures(tmp_path / x / "condition") for x in "ab")
        assert np.array_equal(found, read)

    def test_half_a_size(self, pair, dwpose, tmp_path, capsys) -> None:
        command = ["pose", pair[0], *dwpose, "-o", str(tmp_path / "p"), "--width", "128"]
        assert main(command) == 2
        assert "Give both --height and --width" in capsys.readouterr().err

    def test_what_is_given_wins(self, pair, dwpose, tmp_path) -> None:
        common = ["--conditions-only", "--frames", "3", "--width", "128", "--height", "64"]
        assert (
            main(["inbetween", *pair, *common, "--no-poses", *dwpose, "-o", str(tmp_path / "a")])
            == 0
        )
        assert main(["pose", *pair, *dwpose, "-o", str(tmp_path / "p")]) == 0
        given = [str(tmp_path / "p" / f"{name}.json") for name in ("first", "last")]
        again = ["inbetween", "--run", str(tmp_path / "a" / "run.json"), "--poses", *given]
        assert main([*again, "-o", str(tmp_path / "b")]) == 0
        without, with_poses = (pictures(tmp_path / x / "condition") for x in "ab")
        assert (without != with_poses).any()

    def test_pictures_of_one_name(self, pair, dwpose, tmp_path) -> None:
        other = tmp_path / "first_preview.png"
        Image.open(pair[0]).save(other)
        command = ["pose", pair[0], pair[0], str(other), *dwpose, "-o", str(tmp_path / "p")]
        assert main(command) == 0
        assert len(list((tmp_path / "p").iterdir())) == 9
        assert (tmp_path / "p" / "first_0001.json").exists()

    @pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1"])
    def test_any_picture(self, dwpose, tmp_path, mode) -> None:
        Image.new(mode, (1, 1)).save(tmp_path / "dot.png")
        command = ["pose", str(tmp_path / "dot.png"), *dwpose, "-o", str(tmp_path / "p")]
        assert main(command) == 0

    def test_no_models(self, pair, capsys, tmp_path) -> None:
        assert main(["pose", pair[0], "-o", str(tmp_path / "p")]) == 2
        assert "DWPose needs two files" in capsys.readouterr().err
        assert not (tmp_path / "p").exists()

    def test_people_in_between(self, pair, dwpose, tmp_path) -> None:
        shown = {}
        common = [
            "inbetween",
            *pair,
            "--conditions-only",
            "--frames",
            "5",
            "--width",
            "320",
            "--height",
            "192",
        ]
        for name, more in {
            "lines": ["--no-poses"],
            "people": [],
            "wide": ["--pose-width", "4"],
            "gentle": ["--timing", "ease-in-out"],
            "own": ["--timing", "0,0.1,0.2,0.3,1"],
        }.items():
            assert main([*common, *dwpose, *more, "-o", str(tmp_path / name)]) == 0
            shown[name] = pictures(tmp_path / name / "condition")
        assert all((shown[name] != shown["lines"]).any() for name in shown if name != "lines")
        assert np.count_nonzero(shown["wide"]) > np.count_nonzero(shown["people"])
        for name in ("gentle", "own"):  # the ends stay
            same = [np.array_equal(a, b) for a, b in zip(shown[name], shown["people"], strict=True)]
            assert same[0] and same[-1] and not all(same)

    @pytest.mark.parametrize("timing", ["fast", "0,2", "0.5"])
    def test_no_timing(self, pair, capsys, timing) -> None:
        with pytest.raises(SystemExit):
            main(["inbetween", *pair, "--timing", timing])
        assert "expected one of the timings reference" in capsys.readouterr().err


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

    def test_conditions_need_no_diffusers(self, pair, tmp_path) -> None:
        code = (
            "import sys\nfrom fcvg_core.standalone.cli.main import main\n"
            f"main(['inbetween', *{pair!r}, '-o', {str(tmp_path / 'out')!r}, *{SMALL!r}, "
            "'--conditions-only'])\n"
            "print(sorted({'diffusers', 'transformers', 'av'} & set(sys.modules)))"
        )
        assert self.run(code=code).stdout.splitlines()[-1] == "[]"
