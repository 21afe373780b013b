"""The sessions of docs/api.md, word by word, against a real ComfyUI."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from comfy_server import frames_of, make_small, read_workflow
from hosts import ROOT

DOCUMENT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8188"


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


def test_python(server, folder) -> None:
    (folder / "client.py").write_text(block("python").replace(ADDRESS, f"http://{server.address}"))
    command = [
        "client.py",
        "workflows/api/fcvg_simple.json",
        "first.png",
        "last.png",
        "result.mp4",
        "num_frames=6",
        "seed=7",
    ]
    subprocess.run([sys.executable, *command], cwd=folder, check=True, timeout=300)
    assert frames_of(folder / "result.mp4") == (6, 128, 64)


def test_python_tells_what_is_wrong(server, folder) -> None:
    (folder / "client.py").write_text(block("python").replace(ADDRESS, f"http://{server.address}"))
    command = [
        "client.py",
        "workflows/api/fcvg_simple.json",
        "first.png",
        "last.png",
        "result.mp4",
        "num_frames=6",
        "window=3",
        "overlap=3",
    ]
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 1 and "overlap by 1 to 2 frames" in done.stderr


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
    rows = re.findall(r"^\| `(\w+\.json)` \| .* \| (.*) \|$", DOCUMENT, re.MULTILINE)
    graphs = {path.name for path in (ROOT / "workflows" / "api").glob("*.json")}
    assert {name for name, _ in rows} == graphs
    for name, nodes in rows:
        assert set(re.findall(r'`"(\d+)"`', nodes)) <= set(read_workflow(f"api/{name}"))
