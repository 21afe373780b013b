"""Runs the parts of one mode: graphs on a server that was started in this mode."""

import re
from contextlib import ExitStack

from gpu_card import Holder
from gpu_graphs import (
    Video,
    check_latents,
    check_video,
    compare,
    estimate_memory,
    loader_graphs,
    node_of,
    read_graph,
    times_of,
)
from gpu_parts import Mode, Part, start
from gpu_server import PartFailedError, Run, Server
from gpu_ways import count_passes, decode_graph, settings_of, use_way

DYNAMIC = "DynamicVRAM support detected and enabled"  # in the host's log
# Of fcvg_core.advice.advise; each kind of advice has numbers.
ADVICE = re.compile(r"lower window to \d+|lower the size to \d+|not even \d+ frames of \d+")


class ModeRun:
    """A server, and the parts that run on it.

    Args:
        benchmark: gives folders, the card and `attempt`.
        mode: the mode.
        stack: stops the processes when it is closed.
    """

    def __init__(self, benchmark, mode: Mode, stack: ExitStack):
        self._benchmark, self._mode, self._stack = benchmark, mode, stack
        self._videos: dict[str, Video] = {}
        self._server: Server | None = None
        self._holder: Holder | None = None

    def run(self, blocked: str | None) -> None:
        """Run all parts; `blocked` is a reason to skip them."""
        benchmark = self._benchmark
        ready = benchmark.attempt(start(self._mode), self._wait, blocked)
        if not ready:
            blocked = blocked or benchmark.last_skip or "the server was not started"
        for part in self._mode.parts:
            if not blocked and not self._server.alive:
                blocked = "the server has ended"
            alone = part.again and part.graph not in self._videos
            why = blocked or ("the first run has no result to compare with" if alone else None)
            benchmark.attempt(part, self._work(part), why)

    def start(self) -> None:
        """Start the server without waiting for it; `run` waits."""
        benchmark, mode = self._benchmark, self._mode
        if any(part.leave for part in mode.parts):
            self._holder = Holder()
            self._stack.callback(self._holder.stop)
            self._holder.wait()
        self._before = benchmark.card.used()  # without the server
        options = benchmark.options
        flags = ("--cpu", *mode.flags) if options.tiny else mode.flags
        log = options.out / f"{re.sub('[^a-z0-9]+', '_', mode.name.lower())}.log"
        front = options.front or benchmark.work / "front"
        self._server = Server(options.host, benchmark.base, log, flags=flags, front=front)
        self._stack.callback(self._server.stop)

    def _wait(self, limit: float, facts: dict) -> None:
        if self._server is None:
            self.start()
        self._server.wait(limit)
        facts["log"] = self._server.log_lines()
        check_dynamic(self._mode, facts["log"], tiny=self._benchmark.options.tiny)

    def _work(self, part: Part):
        """The function that runs a part, for `attempt`."""

        def work(limit: float, facts: dict) -> None:
            self._leave_memory(part)
            begin = self._server.log_size()
            try:
                with self._benchmark.card.peak(self._before) as most:
                    self._run(part, limit, facts)
            except PartFailedError as error:
                if not part.advice:
                    raise
                facts["outcome"] = str(error).splitlines()[0][:200]
            finally:
                facts["log"] = self._server.log_lines(begin)
                facts["vram"] = most[0] if most else None
            if part.advice:
                facts["advice"] = find_advice(facts["log"])

        return work

    def _leave_memory(self, part: Part) -> None:
        """Let another process hold all memory but that of the part, the server's own included."""
        if part.leave is None:
            return
        card = self._benchmark.card
        self._server.free_models(card.used)
        own = card.used() - self._before
        self._before += self._holder.hold(part.leave - own)

    def _run(self, part: Part, limit: float, facts: dict) -> None:
        """Run the graph of a part, and check and note its results."""
        size = self._benchmark.size
        if part.loader is not None:
            self._server.run(loader_graphs()[part.loader], limit)
            return
        prompt = read_graph(part.graph, size, again=part.again, unet_dtype=part.unet_dtype)
        if part.chunks:
            facts["chunks_s"] = self._decode(prompt, part, limit)
            return
        steps = size.steps
        if part.way:
            prompt = use_way(prompt, part.way, size.num_frames)
            settings = settings_of(part.way, size.num_frames)
            steps = settings.steps
            facts.update(count_passes(settings))
        run = self._server.run(prompt, limit)
        facts.update(times_of(prompt, run, steps), steps=steps)
        if facts["step_s"] is None:
            raise PartFailedError(f"the sampler did not take {steps} steps")
        if self._benchmark.card.can_measure and self._holder is None and not part.way:
            facts["estimate"] = estimate_memory(size, part.unet_dtype)
        self._check(part, run)

    def _check(self, part: Part, run: Run) -> None:
        """Raise PartFailedError unless the results of a run are as they should be."""
        base, size = self._benchmark.base, self._benchmark.size
        if part.way:
            check_latents(run, base, size)
            return
        video = check_video(run, base, size)
        if part.again and (difference := compare(self._videos[part.graph], video)):
            raise PartFailedError(f"the same seed gives a different video: {difference}")
        self._videos[part.graph] = video

    def _decode(self, prompt: dict, part: Part, limit: float) -> dict[str, float]:
        """Seconds of decoding all frames, by the number of frames in a chunk."""
        decode = node_of(prompt, "FCVG_DecodeFrames")
        found = {}
        for chunk in part.chunks:
            run = self._server.run(decode_graph(prompt, chunk), limit)
            found[str(chunk)] = run.nodes[decode]
        return found


def check_dynamic(mode: Mode, log: list[str], *, tiny: bool) -> None:
    """Raise PartFailedError if dynamic VRAM is on or off against the mode.

    If a package is missing, the host silently switches dynamic VRAM off.
    """
    wanted = not tiny and "--disable-dynamic-vram" not in mode.flags
    found = any(DYNAMIC in line for line in log)
    if found != wanted:
        raise PartFailedError(
            f"dynamic VRAM is {'on' if found else 'off'}, but in this mode it should be "
            f"{'on' if wanted else 'off'}"
        )


def find_advice(log: list[str]) -> str:
    """The line of a node's log that says with numbers what would fit.

    Raises:
        PartFailedError: there is no such line.
    """
    for line in log:
        if ADVICE.search(line):
            return line
    raise PartFailedError("the node did not say which window or size would fit")
