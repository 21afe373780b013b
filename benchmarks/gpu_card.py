"""Measures the memory of the GPU, and can hold a part of it in another process.

This file is also the program of this process: `gpu_card.py N` holds all memory but N bytes.
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


@contextmanager
def hold_memory(leave: int | None):
    """Hold all GPU memory but `leave` bytes in another process; with None, hold nothing."""
    if leave is None:
        yield
        return
    command = [sys.executable, str(Path(__file__).resolve()), str(leave)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as holder:
        try:
            if holder.stdout.readline().strip() != "held":
                raise PartFailedError("the GPU memory could not be held")
            yield
        finally:
            holder.kill()


def _hold(leave: int) -> None:
    """Allocate memory until `leave` bytes are free, then wait until the process is ended."""
    import torch

    torch.cuda.init()
    held = []
    for part in (2**30, 2**26, 2**22):  # in pieces, because one large piece may not fit
        while torch.cuda.mem_get_info(0)[0] - part >= leave:
            held.append(torch.empty(part, dtype=torch.uint8, device="cuda"))
    print("held", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    _hold(int(sys.argv[1]))
