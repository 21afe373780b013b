"""From videos to frames: check, train, a signal, kill -9, resume, export, paint."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import pictures
from hosts import ROOT
from PIL import Image
from training_videos import write_clips, write_config

from fcvg_core.standalone.cli.main import main

# Everything is seen together here, with real processes that are killed.
pytestmark = pytest.mark.slow
SAVED = ("trained", "ema", "optimizer")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    write_clips(folder)
    (folder / "clip9.mp4").write_bytes(b"no video")
    with (folder / "clips.jsonl").open("a", encoding="utf-8") as opened:
        opened.write('\n{"video": "clip9.mp4"}\n')
    return folder


@pytest.fixture(autouse=True)
def models(stand_ins, monkeypatch) -> None:
    monkeypatch.setenv("FCVG_MODELS", str(stand_ins))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="module")
def whole(folder) -> Path:
    """The training file of a run without a break."""
    return write_config(folder, "whole")


def train(*words) -> int:
    return main(["train", *map(str, words)])


def start(config: Path, *words: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "fcvg_core", "train", str(config), *words],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(path: Path, process: subprocess.Popen) -> None:
    while not path.exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)


def test_check(whole, folder, capsys):
    assert train(whole, "--check") == 0
    printed = capsys.readouterr().out
    assert "starting from fcvg" in printed and "computed" in printed
    assert "7 listed; 5 are trained on, 1 are kept for validation, 1 are left out" in printed
    assert "line 7, clip9:" in printed
    shown = list((folder / "whole" / "check").iterdir())
    assert len(shown) == 3 and Image.open(shown[0]).size[0] > 64
    assert not (folder / "whole" / "training.json").exists()


def test_train(whole, folder, capsys):
    assert train(whole) == 0
    printed = capsys.readouterr().out
    assert "steps:     6 of 6" in printed and "to export: python -m fcvg_core export" in printed
    run = folder / "whole"
    record = json.loads((run / "training.json").read_text())
    assert record["clips"] == 5 and record["spec"]["training"]["steps"] == 6
    assert (run / "training.toml").read_text() == whole.read_text()
    assert json.loads((run / "faults.jsonl").read_text())["id"] == "clip9"
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [x["step"] for x in lines if "loss" in x] == [1, 2, 3, 4, 5, 6]
    assert [x["step"] for x in lines if "validation" in x] == [0, 6]
    assert train(whole) == 2
    assert "There is a run in" in capsys.readouterr().err


def test_a_signal_then_kill_then_resume_changes_nothing(whole, folder):
    broken = write_config(folder, "broken", clips="0", painted="0")
    run = folder / "broken"
    first = start(broken)
    wait_for(run / "checkpoints" / "step-000002", first)
    if os.name == "nt":
        first.kill()
    else:
        first.send_signal(signal.SIGINT)
        said = first.communicate()[1]
        assert first.returncode == 130 and "A checkpoint of step" in said
    second = start(broken, "--resume")
    wait_for(run / "checkpoints" / "step-000004", second)
    second.kill()
    second.communicate()
    assert train(broken, "--resume") == 0
    last = "checkpoints/step-000006"
    for name in SAVED:
        file = f"{last}/{name}.safetensors"
        assert (run / file).read_bytes() == (folder / "whole" / file).read_bytes()


def test_export_paints(folder, capsys, tmp_path):
    """A run that ended paints in the command line; the trained files differ from the first ones."""
    assert main(["export", str(folder / "whole")]) == 0
    files = folder / "whole" / "export"
    ends = [tmp_path / f"{name}.png" for name in ("first", "last")]
    for path, colour in zip(ends, (40, 90), strict=True):
        Image.new("RGB", (64, 64), (colour, 60, 60)).save(path)
    size = ["--width", "64", "--height", "64", "--frames", "4", "--steps", "1", "--device", "cpu"]
    trained = [f"--{name}={files / name}.safetensors" for name in ("unet", "controlnext")]
    for name, words in {"before": [], "after": trained}.items():
        arguments = ["inbetween", *map(str, ends), *size, *words, "-o", str(tmp_path / name)]
        assert main(arguments) == 0
    before, after = (pictures(tmp_path / name / "frames") for name in ("before", "after"))
    assert before.shape == after.shape == (4, 64, 64, 3) and (before != after).any()


def test_what_a_user_can_mend(folder, whole, capsys):
    cases = {
        "trains nothing": (whole, "--check", "--resume"),
        "has trained = 'control+vo', not 'control'": (
            write_config(folder, "whole", warmup='2\ntrained = "control"'),
            "--resume",
        ),
        "There is no file": (folder / "none.toml",),
    }
    for said, words in cases.items():
        assert train(*words) == 2
        assert said in capsys.readouterr().err
