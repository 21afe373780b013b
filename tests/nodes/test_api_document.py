"""The listings of docs/api.md, word by word, against a real ComfyUI."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from comfy_server import expected_video, frames_of, make_small, read_workflow
from hosts import ROOT

DOCUMENT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8188"
# Graph -> cells of the table: its files, its nodes to change.
TABLE = {
    name: (files, nodes)
    for name, files, nodes in re.findall(
        r"^\| `(\w+\.json)` \| .* \| (.*) \| (.*) \|$", DOCUMENT, re.MULTILINE
    )
}
# A graph of each family always, the others in the long tests alone.
GRAPHS = [
    name
    if name
    in (
        "fcvg_preview.json",
        "controlnext_svd_animate.json",
        "dynamicrafter_loop.json",
        "dropletvideo_i2v.json",
        "smcd_boxes.json",
    )
    else pytest.param(name, marks=pytest.mark.slow)
    for name in TABLE
]
# In the input folder of the tests' server.
SAMPLES = ("first.png", "last.png", "driving.mp4", "middle.png")
SIMPLE = (
    "workflows/api/fcvg_simple.json",
    "result.mp4",
    "1.image=@first.png",
    "2.image=@last.png",
)


def block(language: str) -> str:
    """The one listing of a language."""
    (listing,) = re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    return listing


@pytest.fixture
def folder(server, tmp_path) -> Path:
    """What a user has: two pictures, and a graph small enough for this machine."""
    for name in ("first.png", "last.png"):
        shutil.copy(server.base / "input" / name, tmp_path / name)
    graph = tmp_path / "workflows" / "api" / "fcvg_simple.json"
    graph.parent.mkdir(parents=True)
    graph.write_text(json.dumps(make_small(read_workflow("api/fcvg_simple.json"))))
    return tmp_path


def run_client(server, folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    (folder / "client.py").write_text(block("python").replace(ADDRESS, f"http://{server.address}"))
    command = [sys.executable, "client.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


class TestPython:
    @pytest.mark.parametrize("name", GRAPHS)
    def test_every_graph(self, server, tmp_path, name) -> None:
        """With files that the table names and that lie nowhere in ComfyUI."""
        graph = make_small(read_workflow(f"api/{name}"))
        for inputs in (node["inputs"] for node in graph.values()):
            inputs |= {key: f"nowhere-{x}" for key, x in inputs.items() if str(x).endswith(SAMPLES)}
        (tmp_path / name).write_text(json.dumps(graph))
        left, uploads = [*SAMPLES], []
        for key in re.findall(r"`(\d+\.\w+)`", TABLE[name][0]):
            sample = next(x for x in left if (".mp4" in x) == key.endswith(".file"))
            left.remove(sample)
            shutil.copy(server.base / "input" / sample, tmp_path / f"my {sample}")
            uploads.append(f"{key}=@my {sample}")
        done = run_client(server, tmp_path, name, "result.mp4", *uploads)
        assert not done.returncode, done.stderr
        assert frames_of(tmp_path / "result.mp4") == expected_video(name)

    def test_values(self, server, folder) -> None:
        done = run_client(server, folder, *SIMPLE, "num_frames=6", "10.seed=7", "timing=uniform")
        assert not done.returncode, done.stderr
        assert frames_of(folder / "result.mp4") == (6, 128, 64)
        (job,) = list(server.get("/history?max_items=1").values())
        queued = [node["inputs"] for node in job["prompt"][2].values()]
        for name, value in {"num_frames": 6, "seed": 7, "timing": "uniform"}.items():
            found = [inputs[name] for inputs in queued if name in inputs]
            assert {x for x in found if not isinstance(x, list)} == {value}  # a list is a link

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            (["window=3", "overlap=3"], "overlap by 1 to 2 frames"),
            (["steps=many"], "refused: "),
            (["color=7"], "The graph has no input color."),
            (["99.seed=7"], "The graph has no input 99.seed."),
        ],
    )
    def test_tells_what_is_wrong(self, server, folder, changes, said) -> None:
        done = run_client(server, folder, *SIMPLE, *changes)
        assert done.returncode == 1 and said in done.stderr
        assert not (folder / "result.mp4").exists()


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("jq"), reason="needs curl and jq")
class TestCurl:
    def test_video(self, server, folder) -> None:
        script = block("sh").replace(ADDRESS, f"http://{server.address}")
        subprocess.run(["bash", "-euc", script], cwd=folder, check=True, timeout=300)
        assert frames_of(folder / "result.mp4") == (5, 128, 64)

    @pytest.mark.parametrize(
        ("change", "said"),
        [({"window": 3, "overlap": 3}, "overlap by 1 to 2 frames"), ({"steps": "x"}, "refused: ")],
    )
    def test_tells_what_is_wrong(self, server, folder, change, said) -> None:
        """And ends, whether a graph fails or is not taken at all."""
        graph = make_small(read_workflow("api/fcvg_simple.json"))
        graph["10"]["inputs"].update(change)
        (folder / "workflows" / "api" / "fcvg_simple.json").write_text(json.dumps(graph))
        script = block("sh").replace(ADDRESS, f"http://{server.address}")
        done = subprocess.run(
            ["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=100
        )
        assert said in done.stderr and not (folder / "result.mp4").exists()


def test_the_table_names_the_right_nodes() -> None:
    """Every graph is in the table, and the nodes that it says to change are there."""
    assert TABLE.keys() == {path.name for path in (ROOT / "workflows" / "api").glob("*.json")}
    for name, (files, nodes) in TABLE.items():
        graph = read_workflow(f"api/{name}")
        assert set(re.findall(r'`"(\d+)"`', nodes)) <= graph.keys()
        for number, key in re.findall(r"`(\d+)\.(\w+)`", files):
            assert isinstance(graph[number]["inputs"][key], str)
