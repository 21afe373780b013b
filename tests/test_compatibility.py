"""Installing the pack changes no package of the host.

Takes minutes and 6 GB, so it runs where FCVG_TEST_INSTALL is set: .ci/run sets it.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hosts import ROOT, find_hosts, version

HOSTS = find_hosts()
TORCH = re.search(r"^TORCH := (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)[1]


@pytest.fixture
def environment(tmp_path: Path):
    """Python of a new environment, which is deleted afterwards."""
    folder = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    yield folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    shutil.rmtree(folder)


def pip(python: Path, *arguments: str) -> str:
    command = [str(python), "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def versions(python: Path) -> dict[str, str]:
    """What is installed, by name."""
    lines = pip(python, "freeze").splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


@pytest.mark.skipif(not os.environ.get("FCVG_TEST_INSTALL"), reason="needs FCVG_TEST_INSTALL=1")
@pytest.mark.skipif(not HOSTS, reason="needs ComfyUI: set COMFYUI_PATH")
def test_no_package_of_the_host_changes(environment: Path) -> None:
    host = HOSTS[0]
    pip(environment, "install", "-q", *TORCH.split(), "-r", str(host / "requirements.txt"))
    before = versions(environment)
    assert {"torch", "alembic", "transformers"} <= before.keys()
    pip(environment, "install", "-q", "-r", str(ROOT / "requirements.txt"))
    after = versions(environment)
    print(f"ComfyUI {version(host)}: {len(before)} packages; new ones:",
          ", ".join(sorted(after.keys() - before.keys())))  # fmt: skip
    assert {name: after.get(name) for name in before} == before
    assert any(name.startswith("onnxruntime") for name in after)
    pip(environment, "check")
