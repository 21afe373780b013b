"""The project cloned into folders whose names make trouble, and what is run there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hosts import ROOT

# What `git clone` makes, which is no name of a Python module; and a folder of somebody's own.
NAMES = ("ComfyUI-FCVG", "mein \u00dcbungs Ordner")


def clone(target: Path) -> Path:
    """Clone the project, with what is changed here and not committed yet.

    The clone gets this environment as its own, so that nothing is installed anew.
    """
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("needs git, and the history of the project")
    settings = target.with_suffix(".gitconfig")
    # The project may be somebody else's, which git takes for a danger without these lines.
    settings.write_text("[safe]\n\tdirectory = *\n", encoding="utf-8")
    git(settings, "clone", "-q", str(ROOT), str(target))
    changed = git(settings, "diff", "--name-only", "-z", "HEAD", "--").split("\0")
    changed += git(settings, "ls-files", "-z", "--others", "--exclude-standard").split("\0")
    for name in filter(None, changed):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
        elif not (ROOT / name).exists():  # else: a link to a folder, such as one's environment
            (target / name).unlink(missing_ok=True)
    try:
        (target / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    except OSError as error:  # Windows without the right to do so
        pytest.skip(f"needs symbolic links: {error}")
    return target


def run_tests(folder: Path, *tests: str) -> str:
    """Run some tests of a clone, whose temporary files have an odd place as well."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", f"--basetemp={folder / 'temp'}", *tests]
    return run(folder, *command)


def run(folder: Path, *command: str) -> str:
    """What a program prints in a clone; it has to end well."""
    # The project that this environment has installed is not the one to be tested.
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**env, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def git(settings: Path, *arguments: str) -> str:
    """What git prints in this project, under these settings and not its user's."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=ROOT,
        env={**os.environ, "GIT_CONFIG_GLOBAL": str(settings)},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
