"""Checkpoints: all that a run needs to go on as if it had never ended.

A checkpoint is a folder. It appears under its name whole, by one rename after its files are on the
disk, so a run that is killed leaves the checkpoints before it as they were.
"""

import errno
import json
import logging
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ...containers import SAFETENSORS, read_header
from ...errors import UserError
from ...failures import is_disk_full
from ...files.flushing import flush_file, flush_folder
from ...files.json_file import read_json
from ...files.writing import PART, explained, part_of

FOLDER = "checkpoints"
TRAINED, AVERAGES, OPTIMIZER = "trained.safetensors", "ema.safetensors", "optimizer.safetensors"
STATE = "state.json"
VERSION = 1


@dataclass(frozen=True)
class Layout:
    """Where the checkpoints of a run lie, and which of their files hold the trained parameters.

    Attributes:
        folder: that holds the checkpoints, in the run's folder.
        start: of a checkpoint's name; its step follows.
        digits: of the step, at least.
        files: that `write` writes.
    """

    folder: str = FOLDER
    start: str = "step-"
    digits: int = 6
    files: tuple[str, ...] = (TRAINED,)

    def name(self, step: int) -> str:
        """Name of the checkpoint of a step."""
        return f"{self.start}{step:0{self.digits}d}"

    def step_of(self, name: str) -> int | None:
        """The step in a name; None: it is not the name of a checkpoint."""
        found = re.fullmatch(rf"{re.escape(self.start)}(\d{{{self.digits},}})", name)
        return int(found[1]) if found else None

    def write(self, folder: Path, trained: Mapping[str, Tensor]) -> None:
        """Write the trained parameters into the folder of a checkpoint.

        Raises:
            OSError: a file can't be written.
        """
        _save(trained, folder / TRAINED)

    def read(self, folder: Path) -> dict[str, Tensor]:
        """The trained parameters in the folder of a checkpoint, float32, on the CPU.

        Raises:
            UserError: a file can't be read.
        """
        return _load(folder / TRAINED)


OWN = Layout()


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A checkpoint whose files are whole.

    Attributes:
        path: its folder.
        step: steps that were done.
        state: what else the run was at this step: numbers and words.
        layout: of its files.
    """

    path: Path
    step: int
    state: Mapping[str, Any]
    layout: Layout = OWN

    def trained(self) -> dict[str, Tensor]:
        """The trained parameters by name, float32, on the CPU."""
        return self.layout.read(self.path)

    def averages(self) -> dict[str, Tensor] | None:
        """The averages of the trained parameters, alike; None if the run kept none."""
        return _load(self.path / AVERAGES) if AVERAGES in self.state["files"] else None

    def optimizer(self) -> dict[str, Tensor]:
        """What the optimiser knows of each parameter, as "exp_avg/NAME"."""
        return _load(self.path / OPTIMIZER)


def read_trained(run: Path, *, ema: bool) -> dict[str, Tensor]:
    """The trained parameters of a run's newest whole checkpoint, by name.

    Args:
        run: its output folder, or the folder of one of its checkpoints.
        ema: their averages, if the run kept them.

    Returns:
        float32 on the CPU.

    Raises:
        UserError: there is no whole checkpoint.
    """
    checkpoint = find_checkpoint(run)
    return (checkpoint.averages() if ema else None) or checkpoint.trained()


def find_checkpoint(run: Path) -> Checkpoint:
    """A run's newest whole checkpoint; or the checkpoint, if the folder is one.

    Raises:
        UserError: there is none, or it is damaged.
    """
    if OWN.step_of(run.name) is not None and (run / STATE).exists():
        return open_checkpoint(run)
    found = newest_checkpoint(run)
    if found is None:
        raise UserError(
            f"There is no checkpoint in {run / FOLDER}: give the output folder of a run of `train` "
            "that has come to its first checkpoint."
        )
    return found


def newest_checkpoint(run: Path, layout: Layout = OWN) -> Checkpoint | None:
    """A run's newest whole checkpoint; newer ones that are damaged are passed over, and named.

    Raises:
        UserError: there are checkpoints, but none is whole.
    """
    paths = list_checkpoints(run, layout)
    for path in paths:
        try:
            return open_checkpoint(path, layout)
        except UserError as error:
            logging.warning("%s The checkpoint before it is taken.", error)
    if paths:
        raise UserError(
            f"None of the {len(paths)} checkpoints in {paths[0].parent} is whole: to begin again, "
            "choose another output folder."
        )
    return None


def list_checkpoints(run: Path, layout: Layout = OWN) -> list[Path]:
    """Folders of a run's checkpoints, the newest first; they may be damaged."""
    folder = run / layout.folder
    found = folder.iterdir() if folder.is_dir() else ()
    steps = {path: layout.step_of(path.name) for path in found}
    return sorted((path for path, step in steps.items() if step is not None), key=steps.get)[::-1]


def open_checkpoint(path: Path, layout: Layout = OWN) -> Checkpoint:
    """A checkpoint, after a check that its files are whole; their numbers are not read.

    Raises:
        UserError: a file is missing or cut off, or it is a checkpoint of another version.
    """
    try:
        state = _read_state(path, layout)
        for name, size in state["files"].items():
            _check_whole(path / name, size)
    except (UserError, OSError) as error:
        raise UserError(f"The checkpoint {path} is damaged: {error}") from error
    return Checkpoint(path, state["step"], state, layout)


def write_checkpoint(
    run: Path,
    step: int,
    files: Mapping[str, Mapping[str, Tensor]],
    state: Mapping[str, Any],
    layout: Layout = OWN,
) -> Path:
    """Write a checkpoint; one of the same step is replaced.

    Args:
        run: the output folder of the run.
        step: steps that are done.
        files: tensors by the names of their files: `TRAINED`, which is for the layout to write,
            `OPTIMIZER` and perhaps `AVERAGES`.
        state: goes into JSON.

    Returns:
        Its folder.

    Raises:
        UserError: it can't be written; what was written of it is removed.
    """
    target = run / layout.folder / layout.name(step)
    part = part_of(target)
    with explained(target):
        try:
            part.mkdir(parents=True)
            layout.write(part, files[TRAINED])
            others = {name: tensors for name, tensors in files.items() if name != TRAINED}
            for name, tensors in others.items():
                _save(tensors, part / name)
            sizes = {name: (part / name).stat().st_size for name in (*layout.files, *others)}
            whole = {"version": VERSION, "step": step, **state, "files": sizes}
            (part / STATE).write_text(json.dumps(whole, indent=1), encoding="utf-8")
            flush_file(part / STATE)
            flush_folder(part)
            _put(part, target)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return target


def remove_checkpoints(run: Path, newest: int, keep: int, layout: Layout = OWN) -> None:
    """Remove old checkpoints.

    Args:
        newest: step of the newest whole checkpoint. Later ones are damaged; they are removed too.
        keep: how many stay.
    """
    paths = list_checkpoints(run, layout)
    kept = [path for path in paths if layout.step_of(path.name) <= newest][:keep]
    for path in paths:
        if path not in kept:
            shutil.rmtree(path, ignore_errors=True)


def remove_parts(run: Path, layout: Layout = OWN) -> None:
    """Remove what a killed run left of a checkpoint that it was writing."""
    for path in (run / layout.folder).glob(f".*{PART}"):
        shutil.rmtree(path, ignore_errors=True)


def _save(tensors: Mapping[str, Tensor], path: Path) -> None:
    try:
        save_file({name: value.detach().contiguous() for name, value in tensors.items()}, path)
    except SafetensorError as error:  # it has no number of the system
        number = errno.ENOSPC if is_disk_full(error) else errno.EIO
        raise OSError(number, os.strerror(number), str(path)) from error
    flush_file(path)


def _load(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"{path} is gone or damaged ({error}): the run may have removed this old checkpoint "
            "meanwhile. Try again, with a newer one."
        ) from error


def _put(part: Path, target: Path) -> None:
    """Give a whole checkpoint its name, on the disk too."""
    if target.exists():  # a damaged one; a folder can't be replaced by a rename
        shutil.rmtree(target)
    part.rename(target)
    flush_folder(target.parent)


def _read_state(path: Path, layout: Layout) -> dict[str, Any]:
    state = read_json(path / STATE, expected="the state of a checkpoint")
    if not isinstance(state, dict) or state.get("version") != VERSION:
        raise UserError(f"{path / STATE} is not the state of a checkpoint of version {VERSION}.")
    files, needed = state.get("files"), {*layout.files, OPTIMIZER}
    if not isinstance(files, dict) or not needed <= files.keys() <= {*needed, AVERAGES}:
        raise UserError(f"{path / STATE} does not list the checkpoint's files.")
    counts = [state.get(key) for key in ("step", "skipped", "in_a_row", "ema_updates")]
    step = layout.step_of(path.name)
    if not all(type(count) is int for count in counts) or counts[0] != step:
        raise UserError(f"{path / STATE} does not hold the counts of step {step}.")
    if not isinstance(state.get("settings"), dict):
        raise UserError(f"{path / STATE} does not hold the run's settings.")
    return state


def _check_whole(path: Path, size: Any) -> None:
    if not path.is_file():
        raise UserError(f"{path.name} is missing.")
    found = path.stat().st_size
    if found != size:
        raise UserError(f"{path.name} has {found} bytes instead of {size}.")
    if path.suffix in SAFETENSORS:
        with open(path, "rb") as opened:
            read_header(opened, name=path.name)
