"""Tests the pack on a GPU in 5 minutes: loaders, graphs, number formats, little memory.

    python benchmarks/gpu.py HOST [--seconds 290] [--out DIR] [--site DIR] [--only TEXT] [--tiny]

HOST is the folder of a ComfyUI 0.33. Models of full size with random weights are made on the
machine. The host is started as a real server with its own memory management. Graphs of
workflows/api run on it at 576 x 1024, 25 frames, 2 steps, and decode the result. The modes in
which the server is started (gpu_parts.MODES):

    default, bf16           --bf16-unet, every loader, both kinds of graphs, each twice, then fp8
    default, fp16           --fp16-unet, both kinds of graphs, each twice
    lowvram, bf16           --lowvram --bf16-unet, fcvg_simple
    no dynamic VRAM, bf16   --disable-dynamic-vram --bf16-unet, fcvg_simple
    8 GB, bf16              --bf16-unet, fcvg_simple, while another process holds the other memory

The number format is chosen with the host's flags, as a user would do it. FCVG's UNet is a bfloat16
file (the authors' file is float32: --unet-format float32), and ControlNeXt-SVD's UNet is a float16
file, so each format is tested with both kinds of files. Lines are matched without GlueStick. The
pose detector is the stand-in of tests/golden/dwpose.

Checks: the files load; latents are finite and of a usual size; no frame has only one colour; a
graph that runs again with copies of its pictures gives exactly the same latents and frames.
The results are printed and written to DIR/gpu.jsonl part by part: seconds of a step (without the
first step), of sampling, and of decoding; the peak of GPU memory beyond the memory in use before
the server started, and its estimate from fcvg_core/estimate.py (not with 8 GB); lines of the
server's log. If a part fails, the next part still runs. A part is skipped, with a message, if not
enough time is left. The exit code is 1 if a part failed, and 2 if nothing could be started.

On a machine without a package index, this Python must have: Python 3.12, torch 2.11, torchvision,
torchaudio, transformers, safetensors, scipy, einops, aiohttp, requests, opencv-python-headless,
onnxruntime, pillow, tqdm, psutil and pyyaml; diffusers is not needed. Bring this project, and a
FOLDER (46 MB) with: the host's folder in comfyui.tgz; the contents of comfy-kitchen's wheel
without its compiled backends (230 MB) in kitchen.tgz; wheels of comfy-aimdo (comfy-kitchen and
comfy-aimdo in the versions of the host's requirements.txt), av, torchsde, trampoline, sqlalchemy,
alembic, greenlet, mako, simpleeval, blake3, pydantic, pydantic-core, pydantic-settings,
typing-inspection, annotated-types and python-dotenv. Then run:

    tar xzf FOLDER/comfyui.tgz -C DIR
    python3 -m pip install -q --no-index --no-deps --no-compile --target DIR/site FOLDER/*.whl
    tar xzf FOLDER/kitchen.tgz -C DIR/site
    python3 benchmarks/gpu.py DIR/ComfyUI-0.33 --site DIR/site --out "$OUT"

The PYTHONPATH of the caller is passed on, too. An empty page replaces the browser editor (--front:
a folder with another page). The servers' logs are beside gpu.jsonl. The models (8 GB) are stored
in .gpu/ of this project (--work) and used again in the next run.

--tiny runs the same code with tiny models on a CPU, in a minute or two; the test
tests/nodes/test_gpu_benchmark.py uses it.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from gpu_card import Card, hold_memory
from gpu_graphs import (
    Size,
    Video,
    check_video,
    compare,
    estimate_memory,
    loader_graphs,
    read_graph,
    times_of,
    write_inputs,
)
from gpu_options import has_card, read_options
from gpu_parts import INPUTS, WEIGHTS, Mode, Part, plan, start
from gpu_report import FAILED, OK, SKIPPED, Report
from gpu_server import PartFailedError, Server
from gpu_weights import ROOT

FULL, TINY = Size(576, 1024, 25, 2), Size(64, 128, 5, 2)
DYNAMIC = "DynamicVRAM support detected and enabled"  # in the host's log
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
        self.used_before: int | None = None
        self._early: Server | None = None
        self._end = time.monotonic() + options.seconds
        self._todo: list[Part] = []

    def run(self) -> int:
        """Run all parts and return the exit code."""
        modes = plan(self.options.only, tiny=self.options.tiny)
        if not modes:
            print(f"No name of a part contains {self.options.only!r}.")
            return 2
        parts = [p for mode in modes for p in (start(mode), *mode.parts)]
        self._todo = [INPUTS, WEIGHTS, *parts]
        self.report.head(**self._facts())
        blocked = None if self._attempt(INPUTS, self._make_inputs) else "there are no inputs"
        with ExitStack() as stack:
            if not blocked and modes[0].leave is None:
                # The start takes as long as making the weights, so both run at the same time.
                self._early = self._start(modes[0], stack)
            if not self._attempt(WEIGHTS, self._make_weights, blocked):
                blocked = blocked or "there are no weights"
            for mode in modes:
                with stack.pop_all() as servers:
                    self._run_mode(mode, servers, blocked)
        self.report.foot()
        return 1 if self.report.parts[FAILED] else 0

    def _facts(self) -> dict:
        text = (self.options.host / "comfyui_version.py").read_text("utf-8")
        size = self.size
        return {
            "ComfyUI": re.search(r'__version__ = "(.+)"', text)[1],
            "Python": platform.python_version(),
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

    def _attempt(self, part: Part, work, blocked: str | None = None) -> bool:
        """Run one part unless something prevents it; return whether it succeeded."""
        self._todo.remove(part)
        left = self._left()
        kept = sum(p.needs for p in self._todo if not p.spare) if part.spare else 0
        if left <= 0 or (not blocked and left - kept < part.needs):
            blocked = NO_TIME
        if blocked:
            self.report.add(part.name, SKIPPED, why=blocked)
            return False
        begin = time.monotonic()
        facts, status, why = {}, OK, ""
        try:
            work(min(part.limit, left), facts)
        except PartFailedError as error:
            status, why = FAILED, str(error)
        except Exception as error:  # noqa: BLE001  the other parts run after any error
            status, why = FAILED, f"{type(error).__name__}: {error}"
        seconds = time.monotonic() - begin
        self.report.add(part.name, status, seconds=seconds, why=why, **facts)
        return status == OK

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

    def _run_mode(self, mode: Mode, stack: ExitStack, blocked: str | None) -> None:
        """Start a server (the first may already run), and run the mode's parts on it."""
        servers: list[Server] = []
        videos: dict[str, Video] = {}

        def wait_for_server(limit: float, facts: dict) -> None:
            server, self._early = self._early or self._start(mode, stack), None
            server.wait(limit)
            facts["log"] = server.log_lines()
            self._check_dynamic(mode, facts["log"])
            servers.append(server)

        if not self._attempt(start(mode), wait_for_server, blocked) and not blocked:
            blocked = "the server was not started"
        for part in mode.parts:
            if not blocked and not servers[0].alive:
                blocked = "the server has ended"
            alone = part.again and part.graph not in videos
            why = blocked or ("the first run has no result to compare with" if alone else None)
            work = self._graph_work(part, servers, videos, estimated=mode.leave is None)
            self._attempt(part, work, why)

    def _start(self, mode: Mode, stack: ExitStack) -> Server:
        """Start a mode's server without waiting for it; `stack` will stop it."""
        stack.enter_context(hold_memory(mode.leave))
        self.used_before = self.card.used()
        flags = ("--cpu", *mode.flags) if self.options.tiny else mode.flags
        log = self.options.out / f"{re.sub('[^a-z0-9]+', '_', mode.name.lower())}.log"
        front = self.options.front or self.work / "front"
        server = Server(self.options.host, self.base, log, flags=flags, front=front)
        stack.callback(server.stop)
        return server

    def _left(self) -> float:
        """Seconds left for all parts."""
        return self._end - time.monotonic()

    def _check_dynamic(self, mode: Mode, log: list[str]) -> None:
        """Raise PartFailedError if dynamic VRAM is on or off against the mode.

        If a package is missing, the host silently switches dynamic VRAM off.
        """
        wanted = not self.options.tiny and "--disable-dynamic-vram" not in mode.flags
        found = any(DYNAMIC in line for line in log)
        if found != wanted:
            raise PartFailedError(
                f"dynamic VRAM is {'on' if found else 'off'}, but in this mode it should be "
                f"{'on' if wanted else 'off'}"
            )

    def _graph_work(
        self, part: Part, servers: list[Server], videos: dict[str, Video], *, estimated: bool
    ):
        """The function that runs a part of a mode, for `_attempt`.

        Args:
            estimated: whether the report compares the memory in use with the estimate.
        """

        def work(limit: float, facts: dict) -> None:
            server = servers[0]
            prompt = self._prompt(part)
            begin = server.log_size()
            try:
                with self.card.peak(self.used_before) as most:
                    run = server.run(prompt, limit)
            finally:
                facts["log"] = server.log_lines(begin)
                facts["vram"] = most[0] if most else None
            if part.graph is None:
                return
            facts.update(times_of(prompt, run, self.size.steps))
            if most and estimated:
                facts["estimate"] = estimate_memory(self.size, part.unet_dtype)
            video = check_video(run, self.base, self.size)
            if part.again and (difference := compare(videos[part.graph], video)):
                raise PartFailedError(f"the same seed gives a different video: {difference}")
            videos.setdefault(part.graph, video)

        return work

    def _prompt(self, part: Part) -> dict:
        if part.loader is not None:
            return loader_graphs()[part.loader]
        return read_graph(part.graph, self.size, again=part.again, unet_dtype=part.unet_dtype)


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
