"""What ComfyUI's registry and its authors check a pack with, in an environment of their own.

`make test` makes it at the first run, `make registry` runs its tests alone.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from hosts import ROOT

TOOLS = ROOT / ".venv" / "registry"
# Pinned: another release finds other things, which is no change of this project's.
PINNED = ("bandit==1.9.4", "comfy-cli==1.23.0", "comfy-lint==0.1.0", "comfy-test==0.4.15")
# Set by .ci/run: there the tools have to be, elsewhere their tests are skipped without them.
REQUIRED = "FCVG_TEST_REGISTRY"
NOWHERE = "http://127.0.0.1:9"
QUIET = {
    "DO_NOT_TRACK": "1", "COMFY_NO_TELEMETRY": "1", "PYTHONUTF8": "1", "NO_COLOR": "1",
    **{f"{name}_PROXY": NOWHERE for name in ("HTTP", "HTTPS", "ALL")},
    **{f"{name}_proxy": NOWHERE for name in ("http", "https", "all")},
}  # fmt: skip


def install(folder: Path = TOOLS) -> str | None:
    """Install the tools once; returns the reason if this fails."""
    done = folder / "installed"
    wanted = "\n".join(PINNED)
    if done.exists() and done.read_text(encoding="utf-8") == wanted:
        return None
    try:
        venv.create(folder, with_pip=True, clear=True)
        command = [
            str(program("python", folder)),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            *PINNED,
        ]
        made = subprocess.run(command, capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    if made.returncode:
        return (made.stderr.strip().splitlines() or ["pip failed without a message"])[-1]
    done.write_text(wanted, encoding="utf-8")
    return None


def are_installed() -> bool:
    """Whether the tools are installed; raises if they are required but missing."""
    found = (TOOLS / "installed").exists()
    if os.environ.get(REQUIRED) and not found:
        raise RuntimeError(f"{REQUIRED} is set, and there is no {TOOLS}: run make registry.")
    return found


def program(name: str, folder: Path = TOOLS) -> Path:
    """Path of a program in the tools' environment."""
    return folder / ("Scripts" if os.name == "nt" else "bin") / name


def run(name: str, *arguments: str, cwd: Path) -> tuple[int, str]:
    """Run a tool without network and telemetry; returns its exit code and its output."""
    with tempfile.TemporaryDirectory() as home:  # a tool's settings are not the user's own
        env = {**os.environ, **QUIET, "HOME": home, "USERPROFILE": home, "XDG_CONFIG_HOME": home}
        env.pop("PYTHONPATH", None)
        done = subprocess.run(
            [*offline(), str(program(name)), *arguments],
            cwd=cwd,
            env=env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=120,
        )
    return done.returncode, done.stdout


def offline() -> list[str]:
    """Prefix of a command that takes its network away; empty if this is not possible."""
    cut = ["unshare", "--map-root-user", "--net"]
    if not shutil.which(cut[0]):
        return []
    tried = subprocess.run([*cut, "true"], capture_output=True)
    return [] if tried.returncode else cut


if __name__ == "__main__":
    sys.exit(install())
