"""What a run says of its steps: lines of log.jsonl, and TensorBoard where it is installed."""

import json
import logging
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...failures import TOO_MUCH, explain_disk
from ...files.writing import explained, save_text
from ...json_text import parse_json

LOG, BOARD = "log.jsonl", "tensorboard"


class Log:
    """The log of a run.

    Args:
        run: its output folder, which is there.
        done: the step that the run goes on from. Lines of later steps, which are taken again, are
            removed.

    Raises:
        UserError: the log can't be written.
    """

    def __init__(self, run: Path, done: int):
        self.path = run / LOG
        self._lost = False
        with explained(self.path):
            _cut(self.path, done or -1)  # a new run validates before its first step
        self._board = _open_board(run / BOARD, done)

    def write(self, step: int, values: Mapping[str, Any]) -> None:
        """Add a line; on a full disk it is left out, which is said once.

        Args:
            step: steps that are done.
            values: numbers, words and tables of them; what is no finite number becomes null.
        """
        plain = _plain(values)
        try:
            _append(self.path, json.dumps({"step": step, **plain}) + "\n")
        except OSError as error:
            if error.errno not in TOO_MUCH:
                raise
            if not self._lost:
                logging.warning("Lines of the log are lost. %s", explain_disk(error, self.path))
            self._lost = True
        else:
            self._lost = False
        for name, value in _numbers(plain):
            self._tell_board("add_scalar", name, value, step)

    def close(self) -> None:
        """Write what TensorBoard has not written yet."""
        self._tell_board("close")

    def _tell_board(self, method: str, *given: Any) -> None:
        """Call TensorBoard, if it is there; after an error, the run goes on without it."""
        if self._board is None:
            return
        try:
            getattr(self._board, method)(*given)
        except OSError as error:  # perhaps of an earlier line: it writes in a thread
            logging.warning("TensorBoard gets no more lines: %s.", error.strerror)
            self._board = None


def _cut(path: Path, done: int) -> None:
    """Remove lines of steps after `done`, and a line that was cut off."""
    if not path.exists():
        return
    text = path.read_text(encoding="utf-8", errors="replace")
    kept = "".join(line for line in text.splitlines(keepends=True) if _is_kept(line, done))
    if kept != text:
        save_text(path, kept)


def _is_kept(line: str, done: int) -> bool:
    try:
        return line.endswith("\n") and parse_json(line)["step"] <= done
    except (ValueError, TypeError, KeyError):
        return False


def _append(path: Path, line: str) -> None:
    """Add a line, whole or not at all."""
    size = path.stat().st_size if path.exists() else 0
    try:
        with open(path, "a", encoding="utf-8", newline="\n") as opened:
            opened.write(line)
    except OSError:
        if path.exists():
            os.truncate(path, size)
        raise


def _open_board(folder: Path, done: int) -> Any:
    """TensorBoard's writer; None where it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=done + 1)


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):  # a number of numpy or torch
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _numbers(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Every number in a table, with its path as its name."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _numbers(item, f"{name}/{key}".removeprefix("/"))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield name, value
