"""The pack as the registry gets it: git's files without those that .comfyignore names."""

import shutil
import zipfile
from pathlib import Path

import pytest
import registry_tools
from clones import clone, run


@pytest.fixture(scope="session")
def tools() -> None:
    """Skips where the tools are not installed."""
    if not registry_tools.are_installed():
        pytest.skip("needs the registry's tools: make registry installs them")


@pytest.fixture(scope="session")
def archive(tools, tmp_path_factory) -> Path:
    """The zip file that would be published."""
    folder = clone(tmp_path_factory.mktemp("clone") / "ComfyUI-FCVG")
    # What is new here and not committed yet would be in it, too.
    run(folder, "git", "add", "--all", "--", ".", ":!.venv")
    code, said = registry_tools.run("comfy", "--skip-prompt", "node", "pack", cwd=folder)
    assert code == 0 and "Not in a git repository" not in said, said
    return folder / "node.zip"


@pytest.fixture(scope="session")
def packed(archive, tmp_path_factory) -> Path:
    """The folder that somebody gets who installs it."""
    folder = tmp_path_factory.mktemp("packed") / "ComfyUI-FCVG"
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    return folder


@pytest.fixture
def bad(packed, tmp_path) -> Path:
    """The same with one line that no registry takes: what a tool must not pass over."""
    folder = tmp_path / "bad"
    shutil.copytree(packed, folder)
    (folder / "nodes" / "bad.py").write_text(
        '"""Bad."""\n\nimport torch\n\nexec("1")\nt = torch.zeros(1).cuda()\n', encoding="utf-8"
    )
    return folder
