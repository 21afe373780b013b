"""Seconds and memory of work on a device, for the programs that measure without a server."""

import statistics
import time
from collections.abc import Callable

import torch


def best_device(tiny: bool) -> torch.device:
    """The GPU; the CPU for tiny models."""
    return torch.device("cpu" if tiny else "cuda")


def finish(device: torch.device) -> None:
    """Wait until the device has done all its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def time_calls(
    work: Callable[[], object], device: torch.device, *, seconds: float, least: int = 2
) -> float:
    """Median of the seconds of a call, after a first call that is not counted.

    Args:
        work: what is called.
        device: where the work runs.
        seconds: time for all calls together, the first one not included.
        least: number of calls that are made at any rate.
    """
    work()
    finish(device)
    found, end = [], time.perf_counter() + seconds
    while len(found) < least or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        finish(device)
        found.append(time.perf_counter() - start)
    return statistics.median(found)


class StepClock:
    """Notes when steps end; usable as the `progress` of `denoise`."""

    def __init__(self, device: torch.device):
        self._device = device
        self._times = [time.perf_counter()]

    def __call__(self, done: int) -> None:
        """The step number `done` has ended."""
        finish(self._device)
        self._times.append(time.perf_counter())

    @property
    def steps(self) -> list[float]:
        """Seconds of each step."""
        return [b - a for a, b in zip(self._times, self._times[1:], strict=False)]


def start_counting_memory(device: torch.device) -> None:
    """Forget the peak of memory so far, and free what nothing uses."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> dict[str, int | None]:
    """Most bytes since `start_counting_memory`, in tensors and in what PyTorch had reserved."""
    if device.type != "cuda":
        return {"allocated": None, "reserved": None}
    return {
        "allocated": torch.cuda.max_memory_allocated(device),
        "reserved": torch.cuda.max_memory_reserved(device),
    }
