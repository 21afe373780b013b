"""What computes a pass of the UNet: the profiler's times by kind of operation, and kernels."""

from collections.abc import Callable

import torch
from gpu_clock import finish
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

MAX_KERNELS, MAX_NAME = 12, 90
# Kinds of operations, by a part of the operation's name; the first that fits counts.
KINDS = (
    ("convolution", ("conv",)),
    ("attention", ("attention", "flash", "sdpa", "softmax", "bmm")),
    ("matmul", ("mm", "linear", "matmul", "gemm")),
    ("norms", ("norm", "std", "var")),
    ("copies", ("copy", "cat", "clone", "contiguous", "transpose", "permute", "memcpy", "memset")),
    ("elementwise", ("add", "mul", "sub", "div", "silu", "gelu", "sigmoid", "lerp", "exp", "sin",
                     "cos", "fill", "zero", "rsub", "pow", "where", "upsample", "pool")),
)  # fmt: skip
OTHER = "other"


def profile_pass(call: Callable[[], object], device: torch.device) -> dict:
    """Seconds of one call by kind of operation, and its slowest kernels.

    Returns:
        "groups_s": kind -> seconds on the device; "kernels": list of name, seconds and calls;
        "profiled_s": seconds of all kernels; "no_kernels": only if the profiler saw no kernels,
        because the machine forbids it.
    """
    on_gpu = device.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    with profile(activities=activities) as profiler:
        call()
        finish(device)
    averages = profiler.key_averages()
    kernels = [event for event in averages if event.device_type == DeviceType.CUDA]
    operations = [event for event in averages if event.device_type != DeviceType.CUDA]
    groups: dict[str, float] = {}
    for event in operations:
        seconds = _seconds(event, on_gpu)
        if seconds > 0:
            kind = kind_of(event.key)
            groups[kind] = groups.get(kind, 0.0) + seconds
    slowest = sorted(kernels if on_gpu else operations, key=lambda event: -_seconds(event, on_gpu))[
        :MAX_KERNELS
    ]
    found = {
        "groups_s": dict(sorted(groups.items(), key=lambda item: -item[1])),
        "profiled_s": sum(groups.values()),
        "kernels": [
            {"name": e.key[:MAX_NAME], "seconds": _seconds(e, on_gpu), "calls": e.count}
            for e in slowest
        ],
    }
    if on_gpu and not kernels:
        found["no_kernels"] = "the profiler saw no kernels: the machine may forbid it"
    return found


def kind_of(operation: str) -> str:
    """The kind of an operation, by its name: "aten::cudnn_convolution"."""
    name = operation.lower().split("::")[-1]
    for kind, parts in KINDS:
        if any(part in name for part in parts):
            return kind
    return OTHER


def _seconds(event, on_gpu: bool) -> float:
    """Seconds of an operation itself, without the operations that it calls."""
    return (event.self_device_time_total if on_gpu else event.self_cpu_time_total) / 1e6
