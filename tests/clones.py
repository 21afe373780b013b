"""Clones the project into folders with difficult names, and runs programs there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hosts import ROOT

# The name from `git clone`, which is not a valid Python module name; and a name with a space.
NAMES = ("ComfyUI-FCVG", "mein \u00dcbungs Ordner")


def clone(target: Path) -> Path:
    """Clone the project, including changes that are not committed.

    The clone uses this environment, so that nothing has to be installed.
    """
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("needs git, and the history of the project")
    settings = target.with_suffix(".gitconfig")
    # The project may belong to another user; without these lines git refuses such a folder.
    settings.write_text("[safe]\n\tdirectory = *\n", encoding="utf-8")
    git(settings, "clone", "-q", str(ROOT), str(target))
    changed = git(settings, "diff", "--name-only", "-z", "HEAD", "--").split("\0")
    changed += git(settings, "ls-files", "-z", "--others", "--exclude-standard").split("\0")
    for name in filter(None, changed):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
        elif not (ROOT / name).exists():  # a link to a folder, such as .venv, is not changed
            (target / name).unlink(missing_ok=True)
    try:
        (target / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    except OSError as error:  # Windows without the right to do so
        pytest.skip(f"needs symbolic links: {error}")
    return target


def run_tests(folder: Path, *tests: str) -> str:
    """Run some tests of a clone; their temporary files are in the oddly named folder, too."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", f"--basetemp={folder / 'temp'}", *tests]
    return run(folder, *command)


def run(folder: Path, *command: str) -> str:
    """Run a program in a clone and return its output; it has to succeed."""
    # The project that is installed in this environment must not be tested.
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
    """Output of git in this project, with these settings and not the user's settings."""
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
