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

HOSTS = find_hosts()[-1:]  # the newest asks for most
TORCH = re.search(r"^TORCH := (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)[1]
pytestmark = [
    pytest.mark.skipif(not os.environ.get("FCVG_TEST_INSTALL"), reason="needs FCVG_TEST_INSTALL=1"),
    pytest.mark.skipif(not HOSTS, reason="needs ComfyUI: set COMFYUI_PATH"),
]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Programs of a new environment with what ComfyUI asks for; it is deleted afterwards."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    pip(programs, "install", "-q", *TORCH.split(), "-r", str(HOSTS[0] / "requirements.txt"))
    yield programs
    shutil.rmtree(folder)


def pip(programs: Path, *arguments: str) -> str:
    return run(programs / "python", "-m", "pip", "--disable-pip-version-check", *arguments)


def run(*command: str | Path, **options) -> str:
    """What a program prints; it has to end well."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def versions(programs: Path) -> dict[str, str]:
    """What is installed, by name."""
    lines = pip(programs, "freeze").splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def test_no_package_of_the_host_changes(environment: Path) -> None:
    before = versions(environment)
    assert {"torch", "alembic", "transformers"} <= before.keys()
    pip(environment, "install", "-q", "-r", str(ROOT / "requirements.txt"))
    after = versions(environment)
    print(
        f"ComfyUI {version(HOSTS[0])}: {len(before)} packages; new ones:",
        ", ".join(sorted(after.keys() - before.keys())),
    )
    assert {name: after.get(name) for name in before} == before
    assert any(name.startswith("onnxruntime") for name in after)
    pip(environment, "check")


def test_pip_install(environment: Path, tmp_path: Path) -> None:
    """The command `fcvg`, from a folder that knows nothing of this one."""
    source = tmp_path / "source"
    shutil.copytree(
        ROOT / "fcvg_core", source / "fcvg_core", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip(environment, "install", "-q", str(source))
    shutil.rmtree(source)
    fcvg = environment / "fcvg"
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for arguments in (
        ["--help"],
        ["models"],
        ["sample-frames", "in"],
        ["inbetween", "in/first.png", "in/last.png", "-o", "out", "--conditions-only"],
    ):
        assert run(fcvg, *arguments, cwd=tmp_path, env=env), arguments
    assert len(list((tmp_path / "out" / "condition").iterdir())) == 25
