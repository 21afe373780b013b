"""What the commands import: a command that paints nothing starts without the packages that paint.

No time is measured: on a busy machine or a cold disk a start takes several times as long.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from export_cases import make_run
from smcd_stand_ins import write_smcd

from fcvg_core.standalone.cli.commands import COMMANDS
from fcvg_core.standalone.media.writing import write_video

ROOT = Path(__file__).parents[4]
WITHOUT_MODEL = (
    "dynamicrafter",
    "droplet",
    "smcd",
    "story",
    "train",
    "smcd-train",
    "smcd-prepare",
)  # they fail, because there is no model
PAINTS = ("diffusers", "transformers", "accelerate")
# Each command in the same process, so that torch is imported once. The commands that paint stop
# before they paint, some because there is no model.
PROGRAM = """
import json, sys
from fcvg_core.standalone.cli.commands import demo
from fcvg_core.standalone.cli.main import main

demo.PREVIEWED = (*demo.PREVIEWED, "--width", "128", "--height", "64", "--frames", "3")
demo.SIZE = (64, 128)
cases, unwanted = map(json.loads, sys.argv[1:])
found = {}
for name, arguments in cases.items():
    code = main([name, *arguments])
    found[name] = code, sorted(set(unwanted) & set(sys.modules))
print("FOUND", json.dumps(found))
"""


def run_all(cases: dict[str, list[str]]) -> dict[str, list]:
    """Exit code of each command, and the packages that it or a command before it imported."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(cases), json.dumps(PAINTS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("FOUND "))
    return json.loads(line.removeprefix("FOUND "))


@pytest.fixture
def cases(pair, dwpose, stand_ins, tmp_path, monkeypatch) -> dict[str, list[str]]:
    """Command -> arguments with which it paints nothing."""
    monkeypatch.delenv("FCVG_MODELS", raising=False)
    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    video = tmp_path / "dance.mp4"
    write_video(video, np.zeros((4, 64, 64, 3), np.uint8), 7)
    controlnext = stand_ins / "controlnext.safetensors"
    make_run(tmp_path / "run", stand_ins / "svd", None, controlnext, trained="control")
    size = ["--width", "64", "--height", "64"]
    cases = {
        "doctor": [],
        "models": [],
        "sample-frames": [str(tmp_path / "samples"), *size],
        "match": [*pair, *size],
        "camera": [pair[0], *size, "--frames", "3", "--move", "zoom-in"],
        "preview": [*pair, *size, "--frames", "3"],
        "estimate": [],
        "export": [str(tmp_path / "run")],
        "diff-weights": [str(controlnext), str(controlnext)],
        "evaluate": [str(tmp_path / "preview" / name) for name in ("frames", "condition")],
        "inbetween": [*pair, *size, "--frames", "3", "--conditions-only"],
        "pose": [*pair, *size, *dwpose],
        "animate": [pair[0], str(video), *size, *dwpose, "--conditions-only"],
    }
    (tmp_path / "story.json").write_text(json.dumps({"shots": [{"picture": pair[0]}]}))
    (tmp_path / "pairs.csv").write_text("id,first,last\na,{},{}\n".format(*pair))
    (tmp_path / "clips.jsonl").write_text(json.dumps({"video": str(video)}))
    (tmp_path / "mine.toml").write_text('[machine]\ndevice = "cpu"\n')
    cases["train"] = [str(tmp_path / "mine.toml"), "--check"]
    cases["batch"] = [str(tmp_path / "pairs.csv"), "--mode", "preview", "--dry-run"]
    cases["dynamicrafter"], cases["story"] = [pair[0]], [str(tmp_path / "story.json")]
    cases["droplet"] = [pair[0], "--prompt", "a boat"]
    (tmp_path / "bbox.txt").write_text("10,10,50,50\n")
    boxes = str(tmp_path / "bbox.txt")
    cases["smcd"] = [pair[0], "--boxes", f"boat={boxes}"]
    cases["smcd-eval"] = ["--measure-boxes", boxes, boxes]
    cases["smcd-train"] = ["--tune-from", str(tmp_path), "--data", str(tmp_path)]
    cases["smcd-prepare"] = ["--dataset", "got10k", "--path", str(tmp_path)]
    merged = str(tmp_path / "smcd.safetensors")
    cases["smcd-merge"] = [str(write_smcd(tmp_path)), "-o", merged]
    for name in ("camera", "match", "preview", "inbetween", "pose", "animate", "batch"):
        cases[name] += ["-o", str(tmp_path / name)]
    return cases


def test_commands_that_paint_nothing(cases) -> None:
    assert cases.keys() == COMMANDS.keys() - {"demo"}  # in a checkout it paints
    codes = {name: 2 if name in WITHOUT_MODEL else 0 for name in cases}
    assert run_all(cases) == {name: [code, []] for name, code in codes.items()}
