"""run.json: everything that is needed to do a run again."""

import hashlib
import json
import logging
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from ...errors import UserError
from ...files.claim import resolve_output
from ...files.json_file import read_json
from ...files.writing import write_aside
from ..run_models import RunModels
from ..spec import ModelChoice, RunSpec
from ..spec.part import one_by_one

HASHED_BYTES = 64 * 2**20  # of larger files only the size is noted: hashing takes seconds
MODELS = ("model", "unet", "controlnext")
SHOWN = 20  # names in a list
RECORDED_PACKAGES = (
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


@dataclass(frozen=True)
class EarlierRun:
    """The run.json that --run names, read once."""

    path: Path
    table: dict[str, Any]
    spell: Callable[[str], str]  # an option as it is typed, by its name in the code

    def names(self, file: str) -> bool:
        """Whether one of its options is this file."""
        return any(
            file == value or (isinstance(value, list) and file in value)
            for value in self.table["options"].values()
        )


def save_run(folder: Path, command: str, spec: RunSpec, models: RunModels | None) -> None:
    """Write run.json: the whole spec, the files that went in, and the models that were found.

    All paths are written as absolute paths, so run.json works in any folder.

    Args:
        models: those of a `SteeredSpec` whose run paints; None for any other run.
    """
    facts = {}
    named = {key: paths for key, paths in spec.paths().items() if key not in (*MODELS, "output")}
    if models:
        files = models.files
        named |= {name: (path,) for name, path in files.named.items()}
        found = ModelChoice(model=files.svd, unet=files.unet, controlnext=files.controlnext)
        spec = replace(spec, models=found)
        facts |= {
            "device": str(models.device),
            "dtype": str(models.dtype),
            "stand_ins": models.stand_ins,
        }
    save_spec(folder, command, spec, named, **facts)


def save_spec(
    folder: Path, command: str, spec: RunSpec, named: dict[str, tuple[Path, ...]], **facts: Any
) -> None:
    """Write run.json: a spec, the files that went in, and what else is worth knowing.

    Args:
        named: the files, by the name of their option.
    """
    spec = replace(spec, output=resolve_output(spec.output)).absolute()
    inputs = one_by_one(named)
    write_run(folder / "run.json", spec.to_json(), inputs, command=command, **facts)


def check_earlier_run(spec: RunSpec, run: EarlierRun | None) -> None:
    """Look for files that have changed since the run of --run; the log names them.

    Raises:
        UserError: a file that only its run.json names is not there any more.
    """
    if run is None:
        return
    unused = spec.unused()
    for key, paths in spec.paths().items():
        for file in map(str, paths):
            if key not in unused and run.names(file) and not os.path.exists(file):
                raise UserError(
                    f"{run.path}: {key} is {file}, which is not there any more. Put it back, "
                    f"or give {run.spell(key)}."
                )
    changed = changed_inputs(run.table)
    for path in changed[:SHOWN]:
        logging.warning("%s is not the file of the earlier run any more.", path)
    if len(changed) > SHOWN:
        logging.warning("Neither are %d more files.", len(changed) - SHOWN)


def write_run(path: Path, options: dict, inputs: dict[str, Path], **facts) -> None:
    """Write run.json.

    Args:
        options: the options of the command.
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
        # A file's name may hold bytes that are not UTF-8; they are written as escapes of JSON.
        part.write_text(text, encoding="utf-8", errors="backslashreplace")


def read_run(path: Path) -> dict:
    """The table that `write_run` wrote.

    Raises:
        UserError: the file is missing or was not written by a run.
    """
    run = read_json(path, expected="the run.json of an earlier run")
    for key in ("options", "inputs"):
        if not isinstance(run, dict) or not isinstance(run.get(key), dict):
            raise UserError(f"{path} is no run.json of an earlier run: it has no table {key!r}.")
    return run


def changed_inputs(run: dict) -> list[str]:
    """Paths of the files that have changed since an earlier run."""
    noted = [entry for entry in run["inputs"].values() if _is_noted(entry)]
    return [entry["path"] for entry in noted if _is_changed(entry)]


def _is_noted(entry: Any) -> bool:
    """Whether an input of a run.json has the form that `describe_file` gives it."""
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
        digest = hashlib.sha256(opened.read(size)).hexdigest()  # some system files never end
    return {"path": str(path), "bytes": size, "sha256": digest}


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a run depends on."""
    found = {"python": platform.python_version()}
    for package in ("fcvg", *RECORDED_PACKAGES):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
