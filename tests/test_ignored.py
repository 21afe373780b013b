"""What git ignores: nothing of the product."""

import shutil
import subprocess

import pytest
from hosts import ROOT

PRODUCT = ("fcvg_core", "nodes", "subgraphs", "web", "workflows")
NAMES = ("demo", "build", "dist", "models", "results", "artifacts", "temp")  # of rooms to come

pytestmark = pytest.mark.skipif(
    not shutil.which("git") or not (ROOT / ".git").exists(), reason="needs git and a clone"
)


def ignored(paths: list[str]) -> list[str]:
    """The paths that a rule of .gitignore holds for, whether or not they are tracked or exist."""
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "check-ignore", "--no-index", "--stdin"],
        cwd=ROOT,
        input="\n".join(paths),
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1), done.stderr  # 1: none is ignored
    return done.stdout.splitlines()


def test_no_file_of_the_product():
    files = [
        path.relative_to(ROOT).as_posix()
        for folder in PRODUCT
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert len(files) > 100
    assert ignored(files) == []


def test_no_folder_that_may_come():
    folders = [
        path.relative_to(ROOT)
        for name in PRODUCT
        for path in [ROOT / name, *(ROOT / name).rglob("*")]
        if path.is_dir() and path.name != "__pycache__"
    ]
    assert ignored([f"{folder}/{name}/a.py" for folder in folders for name in NAMES]) == []


def test_what_programs_leave_behind():
    left = ["demo/result/run.json", "build/lib/x.py", ".gpu/x.whl"]
    assert ignored([*left, "fcvg_core/__pycache__/x.pyc"]) == [*left, "fcvg_core/__pycache__/x.pyc"]
