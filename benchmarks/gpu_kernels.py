"""Where a pass of the UNet spends its time, and what compilers, layouts and attention change.

The class runs in the process of gpu_worker.py, on the host's UNet in bfloat16 with one pass at a
time, without the host's memory management.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from gpu_attention import time_attention
from gpu_clock import best_device, time_calls
from gpu_profile import profile_pass
from gpu_unet import build_unet, pass_inputs

SECONDS = 1.0  # for one way to compute a pass, without its first calls
DTYPE = torch.bfloat16


class Kernels:
    """Measurements of passes of the UNet.

    Args:
        host: the folder of the ComfyUI whose UNet is measured.
        size: [height, width, frames].
        tiny: a tiny model on the CPU.
    """

    def __init__(self, host: str, size: list[int], tiny: bool, **_):
        self._tiny, self._size = tiny, tuple(size)
        self._device = best_device(tiny)
        self._unet = build_unet(Path(host), self._device, DTYPE, tiny=tiny)
        self._inputs = pass_inputs(self._size, self._device, DTYPE, tiny=tiny)
        self._plain: torch.Tensor | None = None
        self._plain_seconds = 0.0

    def profile(self) -> dict:
        """Seconds of a pass, by what computes them; the slowest kernels."""
        self._measure_plain()
        found = profile_pass(self._call, self._device)
        return {"pass_s": self._plain_seconds, **found}

    def attention(self) -> dict:
        """Seconds of the UNet's attention layers by way to compute them, for one pass."""
        height, width, frames = self._size
        channels = 64 if self._tiny else 320
        return time_attention((height // 8, width // 8), frames, channels, self._device, DTYPE)

    def layouts(self) -> dict:
        """Seconds of a pass with cuDNN's search for the fastest kernels, and with channels last."""
        self._measure_plain()
        found = {"plain": self._plain_seconds}
        errors = {}
        found["cuDNN searches"] = self._search()
        inputs = dict(self._inputs)
        set_channels_last(self._unet, True)
        try:
            self._inputs["x"] = inputs["x"].contiguous(memory_format=torch.channels_last)
            found["channels last"] = self._seconds()
            errors["channels last"] = self._difference()
            found["channels last, cuDNN searches"] = self._search()
        finally:
            set_channels_last(self._unet, False)
            self._inputs = inputs
        return {"ways_s": found, "differences": errors}

    def compile_block(self) -> dict:
        """Seconds of the first transformer and its residual layer, as they are and compiled."""
        layer = self._unet.input_blocks[1]
        calls = []
        handles = [
            part.register_forward_pre_hook(
                lambda module, args, kwargs: calls.append((module, args, kwargs)), with_kwargs=True
            )
            for part in layer
        ]
        self._call()
        for handle in handles:
            handle.remove()

        compiled = [self._compiled(module) for module, _, _ in calls]

        def run(modules):
            with torch.no_grad():
                return [m(*x[1], **x[2]) for m, x in zip(modules, calls, strict=True)]

        return compare_compiled(
            lambda: run([x[0] for x in calls]), lambda: run(compiled), self._device
        )

    def compile_unet(self) -> dict:
        """Seconds of a pass, as it is and compiled."""
        compiled = self._compiled(self._unet)

        def run():
            with torch.no_grad():
                return [compiled(**self._inputs)]

        return compare_compiled(lambda: [self._call()], run, self._device)

    def _compiled(self, module: torch.nn.Module):
        """A compiled module; on the CPU without the slow compiler of C++."""
        backend = "aot_eager" if self._tiny else "inductor"
        return torch.compile(module, backend=backend, dynamic=False)

    def _call(self) -> torch.Tensor:
        with torch.no_grad():
            return self._unet(**self._inputs)

    def _measure_plain(self) -> None:
        if self._plain is None:
            self._plain = self._call()
            self._plain_seconds = self._seconds()

    def _seconds(self) -> float:
        return time_calls(self._call, self._device, seconds=SECONDS)

    def _search(self) -> float:
        """Seconds of a pass with `torch.backends.cudnn.benchmark`."""
        torch.backends.cudnn.benchmark = True
        try:
            return self._seconds()
        finally:
            torch.backends.cudnn.benchmark = False

    def _difference(self) -> float:
        return _relative(self._plain, self._call())


def compare_compiled(
    plain: Callable[[], list[torch.Tensor]],
    compiled: Callable[[], list[torch.Tensor]],
    device: torch.device,
) -> dict:
    """Seconds of a plain and of a compiled call, and the difference of their results.

    On a machine without a compiler "not_compiled" says so, and the plain call alone is measured.
    """
    found, expected = {"plain": time_calls(plain, device, seconds=SECONDS)}, plain()
    try:
        results = compiled()
        found["compiled"] = time_calls(compiled, device, seconds=SECONDS)
    except Exception as error:  # noqa: BLE001  compilers fail in many ways
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        return {"ways_s": found, "not_compiled": reason}
    pairs = zip(expected, results, strict=True)
    return {"ways_s": found, "differences": {"compiled": max(_relative(*p) for p in pairs)}}


def set_channels_last(network: torch.nn.Module, on: bool) -> None:
    """Store the weights of convolutions with channels last, or as PyTorch does by itself."""
    for value in network.parameters():
        layouts = {4: torch.channels_last, 5: torch.channels_last_3d}
        layout = layouts.get(value.ndim) if on else torch.contiguous_format
        if layout is not None and value.ndim in layouts:
            value.data = value.data.contiguous(memory_format=layout)


def _relative(expected: torch.Tensor, found: torch.Tensor) -> float:
    """Largest difference, as a multiple of the expected values' standard deviation."""
    expected, found = expected.float(), found.float()
    return ((expected - found).abs().max() / expected.std()).item()
