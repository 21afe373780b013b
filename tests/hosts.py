"""Finds or clones a real ComfyUI, and installs the packages that it needs."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Cloned if no host is found: the newest release with which the tests pass, because most people use
# a new release; the oldest supported release if the newest can't be cloned.
PINNED = ("v0.33.0", "v0.3.64")
CLONES = ROOT / ".venv" / "hosts"
FRONTEND = re.compile(r"^comfyui-frontend-package==\S+", re.MULTILINE)
# Packages that are large or already installed; the frontend is installed beside each host.
LEFT_OUT = re.compile(r"^(torch|torchvision|torchaudio|comfyui-.*)\s*(==.*)?$")


def find_hosts() -> list[Path]:
    """Folders of ComfyUI, the newest release last.

    These are the folders in $COMFYUI_PATH (separated as in PATH) if it is set, or the ComfyUI
    around this pack, or all folders ~/comfy/ComfyUI*.
    """
    named = os.environ.get("COMFYUI_PATH")
    if named:
        found = [Path(part).expanduser() for part in named.split(os.pathsep)]
    elif _is_host(ROOT.parents[1]):
        found = [ROOT.parents[1]]
    else:
        found = [*Path("~/comfy").expanduser().glob("ComfyUI*"), *CLONES.glob("ComfyUI*")]
    hosts = {path.resolve() for path in found if _is_host(path)}
    return sorted(hosts, key=lambda host: (_numbers(version(host)), host))


def clone_host() -> str | None:
    """Clone a pinned release; returns the reason if this fails."""
    reasons = []
    for release in PINNED:
        reason = _clone(release)
        if reason is None:
            return None
        if reason not in reasons:
            reasons.append(reason)
    return f"git clone failed: {', then '.join(reasons)}"


def _clone(release: str) -> str | None:
    address = "https://github.com/Comfy-Org/ComfyUI"
    target = str(CLONES / f"ComfyUI-{release}")
    command = ["git", "clone", "-q", "--depth", "1", "--branch", release, address, target]
    quiet = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(command, env=quiet, capture_output=True, text=True, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    return (done.stderr.strip().splitlines() or ["no message"])[-1]


def install_requirements(host: Path) -> None:
    """Install the packages that a host needs (without torch), and its pinned browser editor."""
    text = (host / "requirements.txt").read_text(encoding="utf-8")
    wanted = [
        line.strip()
        for line in text.splitlines()
        if line.strip() and not line.startswith("#") and not LEFT_OUT.match(line.strip())
    ]
    done = ROOT / ".venv" / f"host-{version(host)}"
    if done.exists() and done.read_text(encoding="utf-8") == text:
        return
    _pip("install", *wanted, *_installed_torch())
    frontend = FRONTEND.search(text)
    if frontend:
        target = str(frontend_folder(host))
        _pip("install", "--no-deps", "--upgrade", "--target", target, frontend[0])
    done.write_text(text, encoding="utf-8")


def frontend_folder(host: Path) -> Path:
    """Folder of a host's browser editor; each release of the host pins another editor."""
    return ROOT / ".venv" / f"frontend-{version(host)}"


def frontend_version(host: Path) -> tuple[int, ...]:
    """Version of the browser editor that a host pins, for example (1, 49, 6)."""
    pinned = FRONTEND.search((host / "requirements.txt").read_text(encoding="utf-8"))
    return _numbers(pinned[0])


def version(host: Path) -> str:
    """Version of a host, for example 0.3.64."""
    text = (host / "comfyui_version.py").read_text(encoding="utf-8")
    return re.search(r'__version__ = "(.+)"', text)[1]


def _numbers(text: str) -> tuple[int, ...]:
    """Numbers of a version for sorting: "0.33.0" -> (0, 33, 0)."""
    return tuple(int(number) for number in re.findall(r"\d+", text))


def _is_host(path: Path) -> bool:
    return (path / "main.py").is_file() and (path / "comfyui_version.py").is_file()


def _installed_torch() -> list[str]:
    """The three packages with their installed versions, so that pip keeps them."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    found = []
    for name in ("torch", "torchvision", "torchaudio"):
        try:
            found.append(f"{name}=={installed(name).split('+')[0]}")
        except PackageNotFoundError:
            continue
    return found


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    subprocess.run(command, check=True)
