"""Runs the methods of a class in a process of its own, each method with its own time limit.

The process frees all GPU memory at its end, and is killed if a method takes too long. This file
is also the program of this process: `gpu_worker.py MODULE:CLASS SETTINGS`, where SETTINGS are the
arguments of the class in JSON. It reads names of methods from its standard input, line by line,
and answers each with a line of JSON.
"""

import importlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

from gpu_server import PartFailedError

HERE = Path(__file__).resolve().parent
FACTS, SKIP, ERROR = "facts", "skip", "error"  # keys of an answer
MAX_TRACE = 3000  # characters


class PartSkippedError(Exception):
    """A part can't run on this machine; the message says why."""


class TooSlowError(PartFailedError):
    """A method took longer than it may."""


def require(*packages: str) -> None:
    """Import packages.

    Raises:
        PartSkippedError: a package is missing.
    """
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise PartSkippedError(f"{package} is missing: {error}") from error


class Worker:
    """A process that owns one object.

    Args:
        target: module and class of the object: "gpu_headless:Headless".
        settings: keyword arguments of the class, for JSON.
        log: file for what the process prints; a process that follows appends.
    """

    def __init__(self, target: str, settings: dict, log: Path):
        self._log, self._answers = log, queue.Queue()
        command = [sys.executable, str(HERE / "gpu_worker.py"), target, json.dumps(settings)]
        with open(log, "ab") as file:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file, text=True
            )
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def wait(self, seconds: float) -> None:
        """Wait until the object is made; errors are those of `call`."""
        self._answer(seconds)

    def call(self, method: str, seconds: float) -> dict:
        """What a method returns.

        Raises:
            PartSkippedError: the method can't run on this machine.
            TooSlowError: the method took too long; the process was killed.
            PartFailedError: the method failed, or the process has ended.
        """
        try:
            self._process.stdin.write(f"{method}\n")
            self._process.stdin.flush()
        except (OSError, ValueError):  # the pipe is broken, or closed by `stop`
            raise self._ended() from None
        return self._answer(seconds)

    def stop(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()

    def _answer(self, seconds: float) -> dict:
        try:
            answer = self._answers.get(timeout=max(min(seconds, threading.TIMEOUT_MAX), 0))
        except queue.Empty:
            self.stop()
            text = f"not done after {seconds:.0f} s, so the process was stopped"
            raise TooSlowError(text) from None
        if answer is None:
            raise self._ended()
        if SKIP in answer:
            raise PartSkippedError(answer[SKIP])
        if ERROR in answer:
            raise PartFailedError(answer[ERROR])
        return answer[FACTS]

    def _listen(self) -> None:
        for line in self._process.stdout:
            self._answers.put(json.loads(line))
        self._process.stdout.close()
        self._answers.put(None)

    def _ended(self) -> PartFailedError:
        tail = self._log.read_text("utf-8", "replace")[-MAX_TRACE:]
        return PartFailedError(f"the process has ended:\n{tail}")


def main(target: str, settings: str) -> None:
    """Make the object, then call its methods until the standard input ends."""
    sys.path.append(str(HERE.parent))  # fcvg_core
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print goes to the log

    def answer(work) -> bool:
        start = time.monotonic()
        try:
            found = {FACTS: work() or {}}
        except PartSkippedError as error:
            found = {SKIP: str(error)}
        except Exception as error:  # noqa: BLE001  it is told, and the next method may work
            traceback.print_exc()
            found = {ERROR: _in_words(error)}
        print(f"{time.monotonic() - start:.1f} s: {found}", file=sys.stderr, flush=True)
        print(json.dumps(found), file=answers, flush=True)
        return FACTS in found

    owned = []

    def make() -> None:
        module, name = target.split(":")
        owned.append(getattr(importlib.import_module(module), name)(**json.loads(settings)))

    if answer(make):
        for line in sys.stdin:
            answer(getattr(owned[0], line.strip()))


def _in_words(error: Exception) -> str:
    """Type and message of an error, and where it happened."""
    places = traceback.extract_tb(error.__traceback__)[-4:]
    where = "\n".join(f"  {Path(p.filename).name}:{p.lineno} {p.line}" for p in places)
    return f"{type(error).__name__}: {str(error)[:MAX_TRACE]}\n{where}"


if __name__ == "__main__":
    # The classes raise `gpu_worker.PartSkippedError`, which `__main__.PartSkippedError` is not.
    importlib.import_module("gpu_worker").main(*sys.argv[1:])
