"""training.json: what a run of training was given, beside its checkpoints; `export` reads it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..files.json_file import read_json
from ..files.marks import digest_whole
from ..files.writing import save_text
from ..quoting import quote

RECORD = "training.json"
VERSION = 1
EXPECTED = "the training.json of a run of `train`"
NAMES_PATHS = ("model", "unet", "controlnext")


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """What a run of training was given.

    Attributes:
        job: what the networks learn.
        family: of the networks; its trained sets are in `trained_sets.FAMILIES`.
        trained: name of the trained set.
        start: whose weights it began with.
        model: folder of SVD in diffusers' layout.
        unet: file of the UNet that it began with; None: SVD's own.
        controlnext: file of the ControlNeXt that it began with; None: it began with random
            values, or nothing is steered.
        files: path, bytes and sha256 of every file of weights, as `describe_file` gives them.
        clips: how many clips are trained on.
        spec: the tables of the training file.
    """

    job: str
    family: str
    trained: str
    start: str
    model: Path
    unet: Path | None
    controlnext: Path | None
    files: tuple[Mapping[str, Any], ...]
    clips: int
    spec: Mapping[str, Any]

    def digest(self, path: Path) -> str:
        """SHA-256 that a file had when training began; empty if it was not noted."""
        noted = (x["sha256"] for x in self.files if Path(x["path"]) == path.absolute())
        return next(noted, "")


def save_record(run: Path, record: RunRecord) -> None:
    """Write training.json into the folder of a run.

    Raises:
        UserError: it can't be written.
    """
    table = {"version": VERSION, **asdict(record)}
    for name in NAMES_PATHS:
        table[name] = None if table[name] is None else str(table[name].absolute())
    save_text(run / RECORD, json.dumps(table, indent=1) + "\n")


def read_record(run: Path) -> RunRecord:
    """The training.json of a run.

    Raises:
        UserError: the folder is no run of training, or its file was changed by hand or made by
            another version.
    """
    path = run / RECORD
    if not path.is_file():
        raise UserError(
            f"{run} is no run of training: it has no {RECORD}. Name the folder that `train` "
            "printed, which holds the folder checkpoints."
        )
    table = read_json(path, expected=EXPECTED)
    if not isinstance(table, dict) or table.get("version") != VERSION:
        found = table.get("version") if isinstance(table, dict) else table
        raise UserError(
            f"{path} has the version {quote(found)}, but this program reads version {VERSION}: "
            "use the version of the program that made the run."
        )
    values = {each.name: table.get(each.name) for each in fields(RunRecord)}
    for name in NAMES_PATHS:
        if isinstance(values[name], str):
            values[name] = Path(values[name])
    if isinstance(values["files"], list):
        values["files"] = tuple(values["files"])
    record = RunRecord(**values)
    if fault := _fault(record):
        raise UserError(f"{path} was changed: {fault}. Take it from a copy of the run.")
    return record


def describe_file(path: Path) -> dict[str, Any]:
    """Absolute path, size in bytes and SHA-256 of a file.

    Raises:
        UserError: the file can't be read.
    """
    try:
        digest = digest_whole(path, hashlib.sha256())
        size = path.stat().st_size
    except OSError as error:
        raise UserError(f"{path} can't be read ({error.strerror}): check its disk.") from error
    return {"path": str(path.absolute()), "bytes": size, "sha256": digest}


def _fault(record: RunRecord) -> str | None:
    """What is wrong with the values of a record, in words; None if nothing is."""
    for name in ("job", "family", "trained", "start"):
        if not isinstance(getattr(record, name), str):
            return f"{name} is {quote(getattr(record, name))}, but a text is expected"
    if not isinstance(record.model, Path):
        return f"model is {quote(record.model)}, but the path of SVD's folder is expected"
    for name in ("unet", "controlnext"):
        if not isinstance(getattr(record, name), (Path, type(None))):
            return f"{name} is {quote(getattr(record, name))}, but a path is expected"
    if not isinstance(record.files, tuple):
        return f"files is {quote(record.files)}, but a list is expected"
    for each in record.files:
        texts = [each.get(key) for key in ("path", "sha256")] if isinstance(each, dict) else [None]
        if not all(isinstance(text, str) for text in texts):
            return f"files holds {quote(each)}, but path and sha256 of a file are expected"
    if type(record.clips) is not int or not isinstance(record.spec, dict):
        return "clips is no number, or spec is no table"
    return None
