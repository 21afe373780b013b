"""The device and the number format that a run uses, and networks that come to the device."""

import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn import functional as F

from ...catalogue.diagnosis import Device
from ...errors import UserError
from ...quoting import quote

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
# PyTorch's errors for a device that is missing, not supported by this build or can't compute.
FAILURES = (RuntimeError, AssertionError, ImportError, TypeError)


class DevicePipeline:
    """A pipeline whose networks come to a device when they are used.

    Args:
        device: where the networks run.
        offload: keep a network on the device only while it is used: slower, but needs less
            memory.
    """

    def __init__(self, *, device: torch.device, offload: bool):
        self.device = device
        self.offload = offload

    @contextmanager
    def _on_device(self, network: nn.Module) -> Iterator[None]:
        """Move a network to the device; afterwards it stays there unless it is offloaded."""
        network.to(self.device)
        try:
            yield
        finally:
            if self.offload:
                network.to("cpu")


def choose_device(name: str) -> torch.device:
    """The device of a name; for "auto" the fastest device of this machine.

    Raises:
        UserError: there is no such device, or it can't compute.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about deprecated names of devices
            device = torch.device(name)
        works = _computes(device, torch.float32)
    except torch.cuda.OutOfMemoryError:
        raise
    except FAILURES as error:
        raise _no_device(name, str(error).split(". ")[0]) from error
    numbered_cpu = device.type == "cpu" and device.index is not None
    if numbered_cpu or not works:
        raise _no_device(name, "its results are wrong")
    return device


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """The number format of a name; for "auto" float32 on a CPU and half precision elsewhere.

    "auto" prefers bfloat16, which does not overflow, to float16 if the device has bfloat16.

    Raises:
        UserError: the device can't compute in this format.
    """
    if name != "auto":
        try:
            works = _computes(device, DTYPES[name])
        except FAILURES:
            works = False
        if not works:
            raise UserError(f"The device {device} can't compute in {name}: give --dtype fp32.")
        return DTYPES[name]
    if device.type == "cpu":
        return torch.float32
    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16
    return torch.float16


def describe_device() -> Device:
    """The device that a run with --device auto would use, for `diagnose`."""
    device = choose_device("auto")
    dtype = str(choose_dtype("auto", device)).removeprefix("torch.")
    build = "for the CPU alone"
    if torch.version.cuda:
        build = f"CUDA {torch.version.cuda}"
    if torch.version.hip:
        build = f"ROCm {torch.version.hip}"
    if device.type == "cuda":
        try:
            free = torch.cuda.mem_get_info()[0] / 2**30
        except RuntimeError:  # the card is broken, or its memory is full
            free = 0.0
        return Device("cuda", torch.cuda.get_device_name(), free, build, dtype)
    if device.type == "mps":
        return Device("mps", "Apple's GPU", 0.0, "MPS", dtype)
    return Device("cpu", "NVIDIA" if shutil.which("nvidia-smi") else "", 0.0, build, dtype)


def _computes(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether a convolution, the main operation of a run, gives the right numbers."""
    ones = torch.ones(1, 1, 2, 2, device=device, dtype=dtype)
    return F.conv2d(ones, ones).flatten().tolist() == [4.0]


def _no_device(name: str, reason: str) -> UserError:
    there = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    there += [
        kind
        for kind, found in (("mps", torch.backends.mps), ("xpu", torch.xpu))
        if found.is_available()
    ]
    # For other devices PyTorch's message is long and reads like a fault of PyTorch.
    reason = f" ({reason[:100]})" if name.startswith("cuda") else ""
    return UserError(
        f"There is no device {quote(name)} here that can compute{reason}; there is: "
        f"{', '.join(there)}."
    )
