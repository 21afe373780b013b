"""Measures the memory of the GPU, and can hold a part of it in another process.

This file is also the program of this process: it reads from its standard input how many bytes are
to be free, line by line, and answers each line with the bytes that it holds.
"""

import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

from gpu_server import PartFailedError

SAMPLE_SECONDS = 0.02


class Card:
    """Memory of the first GPU in use by all processes, from the driver; None on a CPU."""

    def __init__(self, on_cpu: bool):
        self._torch = None
        if not on_cpu:
            import torch

            self._torch = torch

    @property
    def can_measure(self) -> bool:
        """Whether there is a GPU."""
        return self._torch is not None

    def name(self) -> str:
        """The driver's name of the GPU, and its memory size."""
        if self._torch is None:
            return "none, on the CPU"
        gigabytes = self._torch.cuda.mem_get_info(0)[1] / 2**30
        return f"{self._torch.cuda.get_device_name(0)}, {gigabytes:.0f} GB"

    def used(self) -> int | None:
        """Bytes that are in use now."""
        if self._torch is None:
            return None
        free, total = self._torch.cuda.mem_get_info(0)
        return total - free

    @contextmanager
    def peak(self, before: int | None):
        """Measure the peak of used memory in the block, minus `before`; yields a list for it."""
        most, done = [], threading.Event()
        if self._torch is None:
            yield most
            return

        def watch():
            while not done.wait(SAMPLE_SECONDS):
                most[:] = [max([*most, self.used() - before])]

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield most
        finally:
            done.set()
            thread.join()


class Holder:
    """A process that holds GPU memory, so that a server has less."""

    def __init__(self):
        self.held = 0  # bytes, without what the process itself needs
        command = [sys.executable, str(Path(__file__).resolve())]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = subprocess.Popen(command, **pipes)

    def wait(self) -> None:
        """Wait until the process can hold memory."""
        self.hold(2**50)  # so much memory is not free: nothing is held

    def hold(self, leave: int) -> int:
        """Hold all GPU memory but `leave` bytes; return by how much the held memory has grown.

        Raises:
            PartFailedError: the process has ended, for example because there is no GPU.
        """
        before = self.held
        try:
            self._process.stdin.write(f"{leave}\n")
            self._process.stdin.flush()
            self.held = int(self._process.stdout.readline())
        except (OSError, ValueError):
            raise PartFailedError("the GPU memory could not be held") from None
        return self.held - before

    def stop(self) -> None:
        """End the process, which frees what it holds."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            pipe.close()


def _serve() -> None:
    import torch

    torch.cuda.init()
    held = []
    for line in sys.stdin:
        _hold(torch, held, int(line))
        print(sum(tensor.nbytes for tensor in held), flush=True)


def _hold(torch, held: list, leave: int) -> None:
    """Free or allocate memory until `leave` bytes are free."""
    while held and torch.cuda.mem_get_info(0)[0] < leave:
        held.pop()
        torch.cuda.empty_cache()
    for part in (2**30, 2**26, 2**22):  # in pieces, because one large piece may not fit
        while torch.cuda.mem_get_info(0)[0] - part >= leave:
            held.append(torch.empty(part, dtype=torch.uint8, device="cuda"))


if __name__ == "__main__":
    _serve()
