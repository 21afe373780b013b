"""What is said of an error, and of which nothing is."""

import errno
import os
from types import SimpleNamespace

import numpy as np
import pytest

from fcvg_core import failures
from fcvg_core.errors import UserError
from fcvg_core.failures import amount, explain, explain_disk, free_room, none_if_out_of_memory


def failed(number: int, path: str | None = "/x/y") -> OSError:
    return OSError(number, os.strerror(number), path)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOENT, "There is no file or folder /x/y."),
        (
            errno.EACCES,
            "You may not read or write /x/y: change its permissions, or choose another path.",
        ),
        (errno.EPERM, "You may not change /x/y"),
        (errno.EROFS, "/x is on a read-only disk: choose a folder on another disk."),
        (errno.EFBIG, "The disk of /x can't hold a file of this size"),
        (errno.EEXIST, "/x/y already exists"),
        (errno.EISDIR, "/x/y is a folder"),
        (errno.ENOTDIR, "The path /x/y is not possible: a part of it is a file"),
        (errno.ENAMETOOLONG, "The name /x/y is too long for its disk"),
        (errno.ELOOP, "/x/y is a link that leads to itself"),
        (errno.EIO, "/x/y can't be read or written (Input/output error): check its disk."),
        (errno.EMFILE, "/x/y can't be opened, because too many files are open"),
        (errno.EBUSY, "/x/y can't be read or written: Device or resource busy."),
        (errno.ENOSPC, "The disk of /x is full."),
        (errno.EDQUOT, "The disk of /x has no more room for you (quota)."),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="paths and words of Unix")
def test_the_system_refuses(number, message):
    assert explain(failed(number)).startswith(message)


def test_a_full_disk_tells_what_is_free(tmp_path):
    for path in (tmp_path, tmp_path / "new", tmp_path / "a" / "new"):
        folder = tmp_path if path == tmp_path else path.parent
        said = explain_disk(failed(errno.ENOSPC), path)
        assert said.startswith(f"The disk of {folder} is full. ")
        assert said.endswith(" are free. Make room there, or choose a folder on another disk.")


def test_a_name_of_300_letters():
    assert "too long" in explain(failed(errno.ENAMETOOLONG, "x" * 300))


def test_an_error_that_names_no_file():
    assert explain(failed(errno.ENOSPC, None)) == (
        "A file can't be read or written: No space left on device."
    )
    assert explain(OSError("they say so themselves")) == "they say so themselves"


def fault(kind: str) -> Exception:
    """An error of that kind, as its library words it."""
    import cv2
    import torch

    words = {
        "cuda": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        "hip": torch.OutOfMemoryError("HIP out of memory. Tried to allocate 2.00 GiB."),
        "mps": RuntimeError("MPS backend out of memory (MPS allocated: 18.13 GB, ...)"),
        "cublas": RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublas...`"),
        "torch": RuntimeError(
            "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: "
            "can't allocate memory: you tried to allocate 8 bytes. Error code "
            "12 (Cannot allocate memory)"
        ),
        "windows": RuntimeError(
            "[enforce fail at alloc_cpu.cpp:80] data. DefaultCPUAllocator: "
            "not enough memory: you tried to allocate 8 bytes."
        ),
        "python": MemoryError(),
        "opencv": cv2.error(
            "OpenCV(4.11.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed "
            "to allocate 8 bytes in function 'OutOfMemoryError'"
        ),
        "onnx": RuntimeError("bad allocation"),
        "system": failed(errno.ENOMEM, None),
    }
    if kind == "late":
        if not hasattr(torch, "AcceleratorError"):
            pytest.skip("this torch has no such error")
        return torch.AcceleratorError("CUDA error: out of memory")
    return words[kind]


@pytest.mark.parametrize("kind", ["cuda", "late", "hip", "mps", "cublas"])
def test_memory_of_a_gpu(kind):
    assert explain(fault(kind)).startswith("The device's memory ran out. Try --offload")


@pytest.mark.parametrize("kind", ["torch", "windows", "python", "opencv", "onnx", "system"])
def test_memory_of_the_computer(kind):
    assert explain(fault(kind)).startswith("The computer's memory ran out. Try a smaller size")


def test_memory_of_an_array():
    with pytest.raises(MemoryError) as caught:
        np.empty(2**60, np.uint8)
    assert "memory ran out" in explain(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("expected [T]"),
        KeyError("a"),
        RuntimeError("shapes"),
        AssertionError(),
        RecursionError(),
        TypeError("a"),
        failed(errno.EBADF, None),
        failed(errno.EINVAL, None),
    ],
)
def test_nothing_is_said_of_a_fault(error):
    assert explain(error) is None


def test_the_rest():
    assert explain(UserError("a")) == "a"
    missing = ModuleNotFoundError("No module named 'cv2'", name="cv2.x")
    assert "opencv-python is not installed: pip install opencv" in explain(missing)
    assert "does not work: DLL" in explain(ImportError("DLL load failed", name="av"))


def test_amount():
    assert [amount(x) for x in (400, 4e5, 9.96e6, 12e6, 2.55e9)] == [
        "0 kB",
        "400 kB",
        "10.0 MB",
        "12 MB",
        "2.5 GB",
    ]


@pytest.mark.parametrize(
    ("places", "free", "said"),
    [
        (100, 0, "no place for another file"),
        (100, 1, "are free"),
        (0, 0, "are free"),  # of a kind that knows no such limit
    ],
)
def test_a_disk_with_room_for_no_file(tmp_path, monkeypatch, places, free, said):
    disk = os.statvfs(tmp_path)
    fields = {name: getattr(disk, name) for name in dir(disk) if name.startswith("f_")}
    found = SimpleNamespace(**{**fields, "f_files": places, "f_ffree": free})
    monkeypatch.setattr(os, "statvfs", lambda path: found)
    assert said in free_room(tmp_path / "a")


def test_a_system_that_counts_no_files(tmp_path, monkeypatch):
    """Windows has no statvfs."""
    monkeypatch.setattr(failures, "os", SimpleNamespace(path=os.path))
    assert free_room(tmp_path / "a").endswith("B are free.")


def test_the_current_folder_is_gone(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for path in ("out", "a/b"):
        said = explain_disk(failed(errno.ENOENT, path))
        folder = f"The current folder, which should contain {path},"
        assert said == f"{folder} was removed: change to another."
    assert explain_disk(failed(errno.ENOENT, "/x/y")) == "There is no file or folder /x/y."


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (
            ModuleNotFoundError("No module named 'yaml'", name="yaml"),
            "The package pyyaml is not installed: pip install pyyaml.",
        ),
        (failed(errno.EMFILE), "/x/y can't be opened, because too many files are open"),
        (
            ImportError("libx.so: failed to map segment from shared object", name="_C"),
            "The computer's memory ran out.",
        ),
    ],
)
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_an_import_fails_inside_a_library(cause, said, depth):
    """diffusers wraps it in a RuntimeError for each of its modules on the way."""
    error = cause
    for _ in range(depth):
        inner, error = error, RuntimeError("Failed to import")
        error.__cause__ = inner
    assert explain(error).startswith(said)


def test_another_way_where_memory_runs_out() -> None:
    def fail(error: Exception) -> None:
        raise error

    assert none_if_out_of_memory(lambda: 5) == 5
    for error in (MemoryError(), RuntimeError("CUDA out of memory. Tried to allocate")):
        assert none_if_out_of_memory(lambda error=error: fail(error)) is None
    with pytest.raises(RuntimeError, match="a bug"):
        none_if_out_of_memory(lambda: fail(RuntimeError("a bug")))
