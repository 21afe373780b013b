"""A command for tests of batches: its work sleeps, writes a text, or ends in some bad way."""

import logging
import os
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from fcvg_core.bounds import Bounds
from fcvg_core.errors import UserError
from fcvg_core.failures import explain_disk
from fcvg_core.files.writing import save_text
from fcvg_core.standalone.spec import RunSpec
from fcvg_core.standalone.spec.part import setting
from fcvg_core.standalone.spec.values import PATH, SWITCH, TEXT, number
from fcvg_core.standalone.work import UnusableModels, Work

opened = Counter()  # how often models of a setup were loaded in this process


@dataclass(frozen=True, kw_only=True)
class BatchSpec(RunSpec):
    """A text in, a file with the text out.

    Attributes:
        act: how it ends: "" well; see `ACTS` for others.
        stage: where it does so: "prepare", "open" or "finish".
        seconds: that it sleeps.
        models: which models it needs.
        log: a file to which it appends a line when it begins to paint, and one when it is done.
        once: a file that is made at the first bad end; the next try ends well. None: each is bad.
        film: whether it writes a video too.
    """

    text: str = setting(TEXT, "")
    act: str = setting(TEXT, "")
    stage: str = setting(TEXT, "finish")
    seconds: float = setting(number(Bounds(0, 1000)), 0.0)
    models: str = setting(TEXT, "small")
    log: Path | None = setting(PATH, None)
    once: Path | None = setting(PATH, None)
    film: bool = setting(SWITCH, False)


SPEC = BatchSpec


class BatchWork(Work[BatchSpec]):
    """Writes text.txt, and run.json with what prepared and painted it."""

    command = "batch_work"

    @property
    def setup(self) -> str:
        return self.spec.models

    def check(self) -> None:
        self._act("check")

    def open(self, like=None):
        self._act("open")
        return like or _loaded(self.spec.models)

    def open_preparer(self, like=None):
        return like or f"preparer of {self.spec.models}"

    def prepare(self, preparer, progress=None):
        self._act("prepare")
        return f"{self.spec.text} by {preparer}"

    def finish(self, maker, prepared, claim, progress=None) -> None:
        self._note("begun")
        time.sleep(self.spec.seconds)
        self._act("finish")
        save_text(claim.path / "text.txt", f"{prepared} and {maker}\n")
        save_text(claim.path / "run.json", f'{{"output": "{self.spec.output.as_posix()}"}}\n')
        if self.spec.film:
            _write_film(claim.path / "film.mp4")
        self._note("done")

    def _note(self, word: str) -> None:
        if self.spec.log:
            with self.spec.log.open("a") as opened:
                opened.write(f"{self.spec.text} {word}\n")

    def _act(self, stage: str) -> None:
        if self.spec.stage != stage or not self.spec.act:
            return
        if self.spec.once:
            if self.spec.once.exists():
                return
            self.spec.once.touch()
        ACTS[self.spec.act](self)


WORK = BatchWork


def read_spec(options) -> BatchSpec:
    """The spec of parsed options."""
    return BatchSpec.from_options(vars(options))


def _loaded(models: str) -> str:
    opened[models] += 1
    return f"models {models}, load {opened[models]}"


def _write_film(path: Path) -> None:
    import numpy as np

    from fcvg_core.standalone.media.writing import write_video

    frames = np.zeros((7, 64, 96, 3), np.uint8)
    frames += np.arange(7, dtype=np.uint8)[:, None, None, None] * 40
    write_video(path, frames, 7)


def _raises(error: Exception):
    def act(work: BatchWork) -> None:
        raise error

    return act


def _full(work: BatchWork) -> None:
    error = OSError(28, os.strerror(28))
    raise UserError(explain_disk(error, work.spec.output)) from error


def _killed(work: BatchWork) -> None:
    print("about to be killed", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def _warn(work: BatchWork) -> None:
    logging.warning("A strange picture.")
    logging.info("Only said in passing.")


def _stuck(work: BatchWork) -> None:
    time.sleep(1000)


ACTS = {
    "fail": _raises(UserError("The picture a.png is damaged: save it again.")),
    "crash": _raises(KeyError("nobody knows")),
    "unusable": _raises(UnusableModels("The model svd.safetensors is missing: download it.")),
    "no package": _raises(ModuleNotFoundError("No module named 'av'", name="av")),
    "device": _raises(RuntimeError("CUDA error: an illegal memory access was encountered")),
    "memory": _raises(RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")),
    "connection": _raises(ConnectionResetError(104, "Connection reset by peer")),
    "full": _full,
    "killed": _killed,
    "segfault": lambda work: os.kill(os.getpid(), signal.SIGSEGV),
    "exit": lambda work: os._exit(3),
    "stuck": _stuck,
    "warn": _warn,
}
