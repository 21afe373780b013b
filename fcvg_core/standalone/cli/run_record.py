"""run.json: everything that is needed to do a run again."""

import hashlib
import json
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from ...errors import UserError
from ...files.json_file import read_json
from ...files.writing import write_aside

HASHED_BYTES = 64 * 2**20  # larger files are told by their size alone: hashing takes seconds
PACKAGES = (
    "torch",
    "diffusers",
    "transformers",
    "accelerate",
    "safetensors",
    "numpy",
    "opencv-python",
    "opencv-python-headless",
    "pillow",
    "av",
)


def write_run(path: Path, options: dict, inputs: dict[str, Path], **facts) -> None:
    """Write run.json: everything that is needed to do the run again.

    Args:
        options: of the command, as `read_run` gives them back.
        inputs: files that went in, by the name of their option.
        facts: what else is worth knowing.
    """
    run = {
        "options": options,
        "inputs": {name: describe_file(file) for name, file in inputs.items()},
        "versions": versions(),
        **facts,
    }
    text = json.dumps(run, indent=1, ensure_ascii=False) + "\n"
    with write_aside(path) as part:
        # What no UTF-8 can hold, as it may be in a file's name, JSON escapes as Python does.
        part.write_text(text, encoding="utf-8", errors="backslashreplace")


def read_run(path: Path) -> dict:
    """What `write_run` wrote.

    Raises:
        UserError: the file is missing or was not written by a run.
    """
    run = read_json(path, expected="the run.json of an earlier run")
    for key in ("options", "inputs"):
        if not isinstance(run, dict) or not isinstance(run.get(key), dict):
            raise UserError(f"{path} is no run.json of an earlier run: it has no table {key!r}.")
    return run


def changed_inputs(run: dict) -> list[str]:
    """Paths of the files of an earlier run that are not what they were then."""
    noted = [entry for entry in run["inputs"].values() if _is_noted(entry)]
    return [entry["path"] for entry in noted if _is_changed(entry)]


def _is_noted(entry: Any) -> bool:
    """Whether an input of a run.json is what `describe_file` gives; others were made by hand."""
    return isinstance(entry, dict) and isinstance(entry.get("path"), str)


def _is_changed(noted: dict) -> bool:
    path = Path(noted["path"])
    try:
        if not path.is_file() and not path.is_dir():  # a pipe or a device may never end
            return True
        return describe_file(path) != noted
    except (OSError, ValueError):  # it can't be read, or can't be a path
        return True


def describe_file(path: Path) -> dict:
    """Absolute path of a file or folder, size of a file, and its SHA-256 unless it is large."""
    path = path.absolute()
    if path.is_dir():
        return {"path": str(path)}
    size = path.stat().st_size
    if size > HASHED_BYTES:
        return {"path": str(path), "bytes": size}
    with path.open("rb") as opened:
        digest = hashlib.sha256(opened.read(size)).hexdigest()  # some of the system's never end
    return {"path": str(path), "bytes": size, "sha256": digest}


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a run depends on."""
    found = {"python": platform.python_version()}
    for package in ("fcvg", *PACKAGES):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
