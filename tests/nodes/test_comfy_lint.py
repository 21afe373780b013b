"""comfy-lint: every graph of workflows/api against what this ComfyUI says of its nodes."""

import json

import pytest
import registry_tools
from comfy_server import LATER_NODES, WORKFLOWS

GRAPHS = sorted((WORKFLOWS / "api").glob("*.json"))


@pytest.fixture(scope="module")
def lint(server, tmp_path_factory):
    """Lints graphs without a network: the server's answer lies in a file."""
    if not registry_tools.are_installed():
        pytest.skip("needs the registry's tools: make registry installs them")
    folder = tmp_path_factory.mktemp("comfy-lint")
    (folder / "object_info.json").write_text(json.dumps(server.get("/object_info")), "utf-8")

    def lint(*graphs) -> tuple[int, dict]:
        code, said = registry_tools.run(
            "comfy-lint",
            "--schema-cache",
            "object_info.json",
            "--strict",
            "--json",
            *map(str, graphs),
            cwd=folder,
        )
        return code, json.loads(said)

    return lint


@pytest.mark.seam
def test_graphs_have_no_fault(lint, server) -> None:
    """Names of models too: the server has files under the names that the graphs have."""
    lacking = LATER_NODES.keys() - server.get("/object_info")
    graphs = [path for path in GRAPHS if not any(x in path.read_text("utf-8") for x in lacking)]
    code, report = lint(*graphs)
    assert code == 0 and report["summary"]["files"] == len(graphs) > 6, json.dumps(report, indent=1)


def test_faults_are_found(lint, tmp_path) -> None:
    graph = json.loads((WORKFLOWS / "api" / "fcvg_simple.json").read_text(encoding="utf-8"))
    graph["10"]["inputs"].update(scheduler="none such", seeed=1)
    (tmp_path / "bad.json").write_text(json.dumps(graph), encoding="utf-8")
    code, report = lint(tmp_path / "bad.json")
    assert code == 1 and "none such" in json.dumps(report) and "seeed" in json.dumps(report)
