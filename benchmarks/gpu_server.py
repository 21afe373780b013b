"""Starts a real ComfyUI in its own process, runs graphs on it, and measures their times."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

# Lines of a server's log to keep: what was loaded and how, wrong numbers, memory that ran out.
MATTERS = re.compile(
    r"warn|error|exception|traceback|overflow|out of memory|ran out|not a number|memory leak"
    r"|loaded completely|loaded partially|prepared for dynamic|unloaded|DynamicVRAM|vram state"
    r"|pinned memory|offloading|weight dtype|load device|^Device:|pytorch version"
    r"|Needs about|Poses of|Nobody is|No poses are detected|lines match|Fast sets|IMPORT FAILED",
    re.IGNORECASE,
)
# Lines to drop: heads of tracebacks, which clients get as well, and messages about packages and
# nodes of the host that the benchmark does not need.
NOISE = re.compile(
    r"Traceback \(most|Exception during processing|^\s*raise |\*{4}|comfy_extras|pip install"
    r"|FAILED: nodes_|^ModuleNotFoundError|comfy_kitchen backend|\[WARNING\]\S*\s*$"
)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
MAX_LOG_LINES, MAX_LINE = 40, 400


class PartFailedError(Exception):
    """A check of the benchmark failed; the message says which check."""


@dataclass
class Run:
    """Times and outputs of one graph, seen by a client."""

    seconds: float = 0.0
    progress: dict[str, list] = field(default_factory=dict)  # node id -> (number of steps, time)
    nodes: dict[str, float] = field(default_factory=dict)  # node id -> seconds
    outputs: dict = field(default_factory=dict)


class Server:
    """ComfyUI's `main.py` on a free port.

    Args:
        host: ComfyUI's folder.
        base: base directory with the models, pictures and packs that the graphs need.
        log: file for the server's log.
        flags: additional command-line flags.
        front: folder with an index.html that replaces the browser editor.
    """

    def __init__(self, host: Path, base: Path, log: Path, *, flags: tuple[str, ...], front: Path):
        self._log = log
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._address = f"127.0.0.1:{port}"
        command = [
            sys.executable,
            str(host / "main.py"),
            "--port",
            str(port),
            "--base-directory",
            str(base),
            "--database-url",
            "sqlite:///:memory:",
            "--front-end-root",
            str(front),
            "--disable-api-nodes",
            "--disable-auto-launch",
            # A preview waits for the GPU after each step, so the real time of a step is measured.
            "--preview-method",
            "latent2rgb",
            *flags,
        ]
        env = {**os.environ, "PYTHONUNBUFFERED": "1"}
        with open(log, "wb") as file:
            self._process = subprocess.Popen(
                command, cwd=base, env=env, stdout=file, stderr=subprocess.STDOUT
            )

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def wait(self, seconds: float) -> None:
        """Wait until the server answers.

        Raises:
            PartFailedError: the server has ended, or did not answer in time.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not self.alive:
                raise PartFailedError(f"ComfyUI ended at its start:\n{self._tail()}")
            try:
                with urllib.request.urlopen(f"http://{self._address}/system_stats", timeout=5):
                    return
            except OSError:
                time.sleep(0.2)
        self.stop()
        raise PartFailedError(f"ComfyUI did not start in {seconds:.0f} s:\n{self._tail()}")

    def run(self, prompt: dict, seconds: float) -> Run:
        """Run a graph to its end.

        Raises:
            PartFailedError: the graph was refused, failed or took too long. If it took too long,
                the server is stopped, because it would continue to work.
        """
        try:
            run = asyncio.run(asyncio.wait_for(self._run(prompt), seconds))
        except asyncio.TimeoutError:  # before Python 3.11 not the same class as TimeoutError
            self.stop()
            text = f"not done after {seconds:.0f} s, so the server was stopped"
            raise PartFailedError(text) from None
        if run is None:
            self.stop()
            raise PartFailedError(f"ComfyUI ended while a graph ran:\n{self._tail()}")
        return run

    def free_models(self, used: Callable[[], int]) -> None:
        """Let the server unload its models and forget its results, and wait until it has.

        Args:
            used: gives the bytes of GPU memory in use.
        """
        # Twice, because the host misses a request that comes while it tidies up. free_memory alone,
        # which means unload_models too: of both the host may see one before the other.
        for _ in range(2):
            self._post("/free", {"free_memory": True})
            time.sleep(0.5)
        found, end = [used()], time.monotonic() + 10
        while time.monotonic() < end and (len(found) < 3 or min(found[-3:]) < max(found[-3:])):
            time.sleep(0.5)
            found.append(used())

    def _post(self, path: str, content: dict) -> None:
        body, head = json.dumps(content).encode(), {"Content-Type": "application/json"}
        request = urllib.request.Request(f"http://{self._address}{path}", data=body, headers=head)
        with urllib.request.urlopen(request, timeout=5):
            pass

    def log_size(self) -> int:
        """Size of the log in bytes, for `log_lines`."""
        return self._log.stat().st_size

    def log_lines(self, start: int = 0) -> list[str]:
        """The relevant lines of the log, from byte `start` on."""
        text = COLOUR.sub("", self._log.read_bytes()[start:].decode("utf-8", "replace"))
        lines = [
            line.removeprefix("[INFO] ").strip()[:MAX_LINE]
            for line in re.split(r"[\r\n]+", text)
            if MATTERS.search(line) and not NOISE.search(line)
        ]
        return list(dict.fromkeys(lines))[:MAX_LOG_LINES]

    def stop(self) -> None:
        """End the process; kill it if it does not end within 5 seconds."""
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _tail(self) -> str:
        return COLOUR.sub("", self._log.read_text("utf-8", "replace"))[-1500:]

    async def _run(self, prompt: dict) -> Run | None:
        """The run; None if the server has ended."""
        import aiohttp

        try:
            async with aiohttp.ClientSession(f"http://{self._address}") as session:
                return await self._watch(session, prompt)
        except aiohttp.ClientError:
            return None

    async def _watch(self, session, prompt: dict) -> Run | None:
        client, run = uuid.uuid4().hex, Run()
        async with session.ws_connect(f"/ws?clientId={client}", max_msg_size=0) as ws:
            start = time.perf_counter()
            body = {"prompt": prompt, "client_id": client}
            async with session.post("/prompt", json=body) as answer:
                reply = await answer.json()
            if "prompt_id" not in reply:
                raise PartFailedError(f"the graph was refused: {json.dumps(reply)[:2000]}")
            prompt_id = reply["prompt_id"]
            if not await _follow(ws, prompt_id, run):
                return None
            run.seconds = time.perf_counter() - start
        async with session.get(f"/history/{prompt_id}") as answer:
            run.outputs = (await answer.json())[prompt_id]["outputs"]
        return run


async def _follow(ws, prompt_id: str, run: Run) -> bool:
    """Record the times of a graph's nodes and steps; False if the connection ended before."""
    import aiohttp

    node, since = None, time.perf_counter()
    async for message in ws:
        if message.type != aiohttp.WSMsgType.TEXT:  # a preview
            continue
        event = json.loads(message.data)
        kind, data, now = event["type"], event.get("data") or {}, time.perf_counter()
        if data.get("prompt_id") != prompt_id:
            continue
        if kind == "progress":
            run.progress.setdefault(data["node"], []).append((data["max"], now))
        elif kind == "execution_error":
            place = f"{data['node_type']}: {data['exception_type']}: {data['exception_message']}"
            raise PartFailedError(f"{place.strip()}\n{_own_trace(data['traceback'])}")
        elif kind == "executing":
            if node is not None:
                run.nodes[node] = now - since
            node, since = data["node"], now
            if node is None:
                return True
    return False


def _own_trace(entries: list[str]) -> str:
    """The part of a traceback inside a node pack, or its last entries."""
    own = [i for i, entry in enumerate(entries) if "custom_nodes" in entry]
    lines = "".join(entries[own[0] if own else -3 :]).splitlines()
    return "\n".join(line for line in lines if line.strip(" ^~"))
