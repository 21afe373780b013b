"""Measures everything on a GPU in 6 minutes: speed, memory, and what the time is spent on.

    python benchmarks/gpu.py HOST [--seconds 360] [--out DIR] [--site DIR] [--only TEXT] [--tiny]

HOST is the folder of a ComfyUI 0.33. Models of full size with random weights are made on the
machine; nothing is downloaded. The parts, in the order of their value (gpu_parts.GROUPS):

    default, bf16           a server with --bf16-unet: fcvg_simple twice, then sampled in less work
                            (fast; Align Your Steps alone, with a guidance interval, with SVD
                            Cache), decoded in chunks of 1, 2, 4 and 8 frames;
                            controlnext_svd_simple twice; fcvg_simple in fp8; every loader
    headless                the command line's networks, which need diffusers: bf16, --fast, fp16;
                            the reference's way (gpu_reference.py), with and without TF32
    chip                    rate of products of large matrices; operations of a pass of the UNet
    default, fp16           a server with --fp16-unet: both kinds of graphs
    little memory, bf16     a server, while another process holds memory: 12 GB and 8 GB are left,
                            then 3 GB, which is too little: the node has to say what would fit
    conditions              lines and people: found, moved and drawn; GlueStick; DWPose's stand-in
    lowvram, bf16           a server with --lowvram: fcvg_simple
    no dynamic VRAM, bf16   a server with --disable-dynamic-vram: fcvg_simple
    kernels                 a pass of the host's UNet: the profiler's table; attention by PyTorch's
                            kernels and by SageAttention, if it is there; channels last; compiled

Servers are real, with the host's own memory management. Their graphs are those of workflows/api
at 576 x 1024, 25 frames, 2 steps. 25 steps are computed from the steps that were measured. The
number format is chosen with the host's flags, as a user would do it. FCVG's UNet is a bfloat16
file (the authors' file is float32: --unet-format float32), and ControlNeXt-SVD's UNet is a
float16 file. Lines are matched without GlueStick, but for the part of GlueStick.

Checks: the files load; latents are finite and of a usual size; no frame has only one colour; a
graph that runs again with copies of its pictures gives exactly the same latents and frames;
advice on too little memory has numbers. If a part fails, the next part still runs. A part is
skipped, with a message, if not enough time is left, or if this machine lacks what the part needs.
Some parts are spare: they run if they leave enough time for all later parts that are not. The
exit code is 1 if a part failed, and 2 if nothing could be started.

Each part's results are printed and written to DIR/gpu.jsonl when it ends: seconds of a step
(without the first step), of sampling, and of decoding; the peak of GPU memory beyond the memory
in use before the server started, and its estimate from fcvg_core/estimate.py; lines of the log.
At the end come a table, the aims (the same 25 steps at least 6 times as fast as the reference's
way, fast 18 times, the clip in 8 GB, 55 % of the matrix rate) and the three largest losses; all
is written to DIR/gpu.json. The reference's way is float32 as the official code runs it: PyTorch's
own settings, with which convolutions take TF32 and products of matrices do not. The table has its
time without TF32 too.

On a machine without a package index, this Python must have: Python 3.12, torch 2.11, torchvision,
torchaudio, transformers, safetensors, scipy, einops, aiohttp, requests, opencv-python-headless,
onnxruntime, pillow, tqdm, psutil and pyyaml. Bring this project, and a FOLDER (46 MB) with: the
host's folder in comfyui.tgz; the contents of comfy-kitchen's wheel without its compiled backends
(230 MB) in kitchen.tgz; wheels of comfy-aimdo (comfy-kitchen and comfy-aimdo in the versions of
the host's requirements.txt), av, torchsde, trampoline, sqlalchemy, alembic, greenlet, mako,
simpleeval, blake3, pydantic, pydantic-core, pydantic-settings, typing-inspection, annotated-types
and python-dotenv; for the headless part also wheels of diffusers and accelerate (7 MB together).
Then run:

    tar xzf FOLDER/comfyui.tgz -C DIR
    python3 -m pip install -q --no-index --no-deps --no-compile --target DIR/site FOLDER/*.whl
    tar xzf FOLDER/kitchen.tgz -C DIR/site
    python3 benchmarks/gpu.py DIR/ComfyUI-0.33 --site DIR/site --out "$OUT"

The PYTHONPATH of the caller is passed on, too. An empty page replaces the browser editor
(--front: a folder with another page). Logs are beside gpu.jsonl. The models (8 GB) are stored in
.gpu/ of this project (--work) and used again in the next run. torch.compile needs a C compiler;
without one, its parts say so.

--tiny runs the same code with tiny models on a CPU, in a few minutes; the tests in
tests/nodes/gpu_benchmark use it.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
import time
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

from gpu_card import Card
from gpu_graphs import Size, write_inputs
from gpu_jobs import JobRun
from gpu_modes import ModeRun
from gpu_options import has_card, read_options
from gpu_parts import INPUTS, WEIGHTS, Mode, Part, plan, start
from gpu_report import FAILED, OK, SKIPPED, Report
from gpu_server import PartFailedError
from gpu_table import make_table
from gpu_weights import ROOT
from gpu_worker import PartSkippedError

FULL, TINY = Size(576, 1024, 25, 2), Size(64, 128, 5, 2)
NO_TIME = "no time is left"


class Benchmark:
    """One run of the program: its folders, the time left, and the results so far."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.size = TINY if options.tiny else FULL
        self.work = options.work / ("tiny" if options.tiny else "full")
        self.base = self.work / "base"
        self.report = Report(options.out / "gpu.jsonl")
        self.card = Card(options.tiny)
        self.last_skip: str | None = None  # why the last part was skipped, if it was
        self._end = time.monotonic() + options.seconds
        self._todo: list[Part] = []

    def run(self) -> int:
        """Run all parts and return the exit code."""
        groups = plan(self.options.only, tiny=self.options.tiny)
        if not groups:
            print(f"No name of a part contains {' or '.join(map(repr, self.options.only))}.")
            return 2
        parts = [p for group in groups for p in (start(group), *group.parts)]
        self._todo = [INPUTS, WEIGHTS, *parts]
        self.report.head(**self._facts())
        blocked = None if self.attempt(INPUTS, self._make_inputs) else "there are no inputs"
        with ExitStack() as stack:
            first = self._make_run(groups[0], stack)
            if not blocked and isinstance(groups[0], Mode):
                first.start()  # this takes as long as making the weights: both at the same time
            if not self.attempt(WEIGHTS, self._make_weights, blocked):
                blocked = blocked or "there are no weights"
            first.run(blocked)
        for group in groups[1:]:
            with ExitStack() as stack:
                self._make_run(group, stack).run(blocked)
        self.report.foot(make_table(self.report.records, self.size))
        return 1 if self.report.parts[FAILED] else 0

    def attempt(self, part: Part, work, blocked: str | None = None) -> bool:
        """Run one part unless something prevents it; return whether it succeeded.

        Args:
            work: is called with the limit in seconds, and a dict for what it finds.
            blocked: reason to skip the part.
        """
        self._todo.remove(part)
        left = self._end - time.monotonic()
        kept = sum(p.needs for p in self._todo if not p.spare) if part.spare else 0
        if left <= 0 or (not blocked and left - kept < part.needs):
            blocked = NO_TIME
        begin = time.monotonic()
        facts, status, why = {}, SKIPPED if blocked else OK, blocked or ""
        try:
            if not blocked:
                work(min(part.limit, left), facts)
        except PartSkippedError as error:
            status, why = SKIPPED, str(error)
        except PartFailedError as error:
            status, why = FAILED, str(error)
        except Exception as error:  # noqa: BLE001  the other parts run after any error
            status, why = FAILED, f"{type(error).__name__}: {error}"
        seconds = time.monotonic() - begin
        self.report.add(part.name, status, seconds=seconds, why=why, **facts)
        self.last_skip = why if status == SKIPPED else None
        return status == OK

    def _make_run(self, group, stack: ExitStack) -> ModeRun | JobRun:
        return (ModeRun if isinstance(group, Mode) else JobRun)(self, group, stack)

    def _facts(self) -> dict:
        text = (self.options.host / "comfyui_version.py").read_text("utf-8")
        size = self.size
        return {
            "ComfyUI": re.search(r'__version__ = "(.+)"', text)[1],
            "Python": platform.python_version(),
            "PyTorch": version("torch"),
            "card": self.card.name(),
            "size": f"{size.width} x {size.height} x {size.num_frames}",
            "steps": size.steps,
        }

    def _make_inputs(self, limit: float, facts: dict) -> None:
        """Make the server's base directory, the page that replaces the editor, and the pictures."""
        pack = self.base / "custom_nodes" / "ComfyUI-FCVG"
        for folder in (pack.parent, self.base / "models", self.work / "front"):
            folder.mkdir(parents=True, exist_ok=True)
        if not pack.is_symlink():
            pack.symlink_to(ROOT, target_is_directory=True)
        (self.work / "front" / "index.html").write_text("\n", "utf-8")
        write_inputs(self.base / "input", self.size)

    def _make_weights(self, limit: float, facts: dict) -> None:
        """Make the models in a separate process, which frees all GPU memory at its end."""
        command = [
            sys.executable,
            str(Path(__file__).with_name("gpu_weights.py")),
            str(self.options.host),
            str(self.base / "models"),
            "--unet-format",
            self.options.unet_format,
        ]
        command += ["--tiny"] if self.options.tiny else []
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        try:
            done = subprocess.run(command, timeout=limit, **pipes)
        except subprocess.TimeoutExpired:
            raise PartFailedError(f"not done after {limit:.0f} s") from None
        if done.returncode:
            raise PartFailedError(done.stdout[-3000:])
        facts["log"] = done.stdout.splitlines()[-10:]


def main() -> int:
    options = read_options(__doc__.splitlines()[0])
    if options.site:  # used by this process and by all processes that it starts
        found = [str(options.site), os.environ.get("PYTHONPATH", "")]
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, found))
        sys.path.insert(0, str(options.site))
    sys.path.append(str(ROOT))
    if not options.tiny and not has_card():
        print(
            "torch found no NVIDIA GPU: run this on a machine with an NVIDIA GPU, or use --tiny "
            "for tiny models on the CPU."
        )
        return 2
    return Benchmark(options).run()


if __name__ == "__main__":
    sys.exit(main())
