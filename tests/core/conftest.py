"""Stand-in models, written once for all tests; a machine without a ComfyUI; a small disk."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stand_ins import write_stand_ins


@pytest.fixture(autouse=True)
def no_comfyui(tmp_path_factory, monkeypatch) -> None:
    """Keep the tests from the models of a ComfyUI that this pack may lie in."""
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path_factory.getbasetemp() / "no-comfyui"))


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory) -> Path:
    """A folder with svd/, unet.safetensors and controlnext.safetensors. Not to be written to."""
    folder = tmp_path_factory.mktemp("stand-ins") / "models"
    write_stand_ins(folder)
    return folder


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Callable[[int], Path]]:
    """A function that mounts a disk of so many bytes, where this user may; gives its folder."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(size: int) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
        linux = sys.platform.startswith("linux")
        if not linux or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("no disk can be mounted here")
        return folder

    yield mount
    subprocess.run(["umount", "--lazy", str(folder)], capture_output=True)  # mapped files


@pytest.fixture
def full_disk(monkeypatch):
    """From now on one more file can be written, and the next ones only in part."""
    left = [1]
    write = Path.write_bytes

    def write_until_full(self, content):
        if left[0]:
            left[0] -= 1
            return write(self, content)
        write(self, bytes(content)[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", write_until_full)


@pytest.fixture
def comfyui(tmp_path: Path, monkeypatch) -> Path:
    """A folder that looks like a ComfyUI."""
    folder = tmp_path / "ComfyUI"
    (folder / "models").mkdir(parents=True)
    (folder / "comfyui_version.py").write_text('__version__ = "0.8.0"\n')
    monkeypatch.setenv("COMFYUI_PATH", str(folder))
    monkeypatch.delenv("FCVG_MODELS", raising=False)
    return folder
