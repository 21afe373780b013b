"""How fast the chip multiplies matrices, and how many operations a pass of the UNet takes.

The class runs in the process of gpu_worker.py. A share of the matrix rate is meant of the rate
that is measured here, not of the rate in the chip's data sheet, which no program reaches.
"""

from contextlib import contextmanager
from pathlib import Path

import torch
from gpu_clock import best_device, time_calls
from gpu_unet import build_unet, pass_inputs
from torch.utils.flop_counter import FlopCounterMode

SIDE, TINY_SIDE = 8192, 128  # of square matrices
SECONDS = 0.3  # for one number format

# Operations that FlopCounterMode knows -> what they are for. On the meta device attention is
# computed by products of batches of matrices, which nothing else in the UNet needs.
KINDS = {
    "aten.convolution": "convolution",
    "aten.bmm": "attention",
    "aten.baddbmm": "attention",
    "aten.mm": "matmul",
    "aten.addmm": "matmul",
}


class Chip:
    """Measurements of the GPU that need no weights.

    Args:
        host: the folder of the ComfyUI whose UNet is counted.
        size: [height, width, frames].
        tiny: a tiny model and small matrices on the CPU.
    """

    def __init__(self, host: str, size: list[int], tiny: bool, **_):
        self._host, self._size, self._tiny = Path(host), tuple(size), tiny
        self._device = best_device(tiny)

    def matrix_rate(self) -> dict:
        """Operations a second of a product of large matrices, by number format."""
        found = {
            "bf16": self._rate(torch.bfloat16),
            "fp16": self._rate(torch.float16),
            "fp32": self._rate(torch.float32),
        }
        with tf32():
            found["tf32"] = self._rate(torch.float32)
        try:
            found["fp8"] = self._fp8_rate()
        except (RuntimeError, AttributeError, ValueError, NotImplementedError) as error:
            return {"rates": found, "no_fp8": str(error).splitlines()[0][:200]}
        return {"rates": found}

    def count_pass(self) -> dict:
        """Operations of one pass of the UNet, altogether and by kind, counted without values."""
        unet = build_unet(self._host, torch.device("meta"), torch.bfloat16, tiny=self._tiny)
        inputs = pass_inputs(self._size, torch.device("meta"), torch.bfloat16, tiny=self._tiny)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            unet(**inputs)
        kinds: dict[str, float] = {}
        for operation, count in counter.get_flop_counts()["Global"].items():
            kind = KINDS.get(str(operation), "other")
            kinds[kind] = kinds.get(kind, 0) + count
        return {"operations": sum(kinds.values()), "kinds": kinds}

    def _rate(self, dtype: torch.dtype) -> float:
        side = TINY_SIDE if self._tiny else SIDE
        a, b = (torch.randn(side, side, device=self._device).to(dtype) for _ in range(2))
        return 2 * side**3 / time_calls(lambda: a @ b, self._device, seconds=SECONDS)

    def _fp8_rate(self) -> float:
        side = TINY_SIDE if self._tiny else SIDE
        a, b = (
            torch.randn(side, side, device=self._device).to(torch.float8_e4m3fn) for _ in range(2)
        )
        one = torch.ones((), device=self._device)

        def multiply():
            return torch._scaled_mm(a, b.t(), one, one, out_dtype=torch.bfloat16)

        return 2 * side**3 / time_calls(multiply, self._device, seconds=SECONDS)


@contextmanager
def tf32():
    """Products of float32 matrices in TF32."""
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
