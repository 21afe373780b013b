"""Runs hundreds of graphs on one ComfyUI and checks that its memory does not grow.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/soak.py HOST [--prompts 500] [--seed 0]

This takes half an hour on one core. HOST is the folder of a ComfyUI. It is started as a real server
on the CPU with tiny models. It runs the graphs of workflows/api one after the other, each time
with other seeds, pictures, sizes and thresholds. One of nine graphs has a bad input, so that it is
refused or fails, and one of nine is interrupted at a random moment. Sometimes all models are
unloaded.

The server's memory, open files and threads are printed during the run, and at the end their slope
after the first 100 graphs. The exit code is 1 if memory grows by more than MAX_SLOPE KB per graph,
if the number of open files or threads grows, or if a graph ends in an unexpected way. Memory that
the host itself keeps does not count: its history (about 20 KB per graph) is cleared after each
graph. The folders of results and previews are only measured.
"""

import argparse
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from comfy_server import PICTURE_SIZED, ComfyServer, make_small, read_workflow  # noqa: E402
from dropletvideo_stand_ins import write_droplet  # noqa: E402
from dynamicrafter_stand_ins import write_for_workflows  # noqa: E402
from golden_cases import fill  # noqa: E402
from smcd_stand_ins import write_modelscope, write_smcd  # noqa: E402
from stand_ins import write_stand_ins  # noqa: E402

from fcvg_core.standalone.demo.scene import draw_sample_pair  # noqa: E402

GOLDEN = ROOT / "tests" / "golden"
GRAPHS = sorted(path.name for path in (ROOT / "workflows" / "api").glob("*.json"))
DWPOSE = (("det_two.onnx", "yolox_l.onnx"), ("pose_a.onnx", "dw-ll_ucoco_384.onnx"))
# Graph 4 of 11 fails, graph 8 of 11 is interrupted, and all models are unloaded after graph 25 of
# 50. The numbers are chosen so that this happens to every family of graphs.
FAILS, INTERRUPTED, FREED = 4, 8, 25
SIZES = ((128, 64), (192, 128), (128, 128))
# The first graphs are not measured: after them every graph has run in every size, and the system's
# allocator has the memory that it needs. A reliable slope needs at least 200 more graphs.
WARM_UP, LEAST = 100, 300
# KB per graph. safetensors 0.8 loses 64 bytes per tensor, 40 KB per UNet, and most graphs here load
# their UNet again. A leak of pictures would be larger: the smallest batch here has 500 KB.
MAX_SLOPE = 100.0
MAX_MORE = 3  # open files and threads; a request that is being answered needs some
MB = 1024 * 1024
# Bad values for nodes; every graph has at least one of these nodes.
BAD = {
    "FCVG_Sampler": {"window": 3, "overlap": 3},
    "FCVG_AnimateSampler": {"width": 72},
    "FCVG_GuideInbetween": {"window": 3, "overlap": 3},
    "FCVG_GuideAnimation": {"window": 3, "overlap": 3},
    "FCVG_InterpolateConditions": {"timing": "custom", "custom_times": "0, 2"},
    "FCVG_DrawPoses": {"num_frames": 4},
    "FCVG_PreviewMotion": {"timing": "custom", "custom_times": "0, 2"},
    "FCVG_DynamiCrafterConditioning": {"width": 72},
    "FCVG_StoryShot": {"steps": 0},
    "FCVG_DropletVideoConditioning": {"fps": 0},
    "FCVG_SMCDConditioning": {"pad_to": 9},
    "LoadImage": {"image": "not_there.png"},
}


@dataclass(frozen=True)
class Sample:
    """Figures of the server after one graph."""

    memory: int  # bytes
    files: int
    threads: int


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("host", type=Path)
    parser.add_argument("--prompts", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.prompts < LEAST:
        parser.error(f"--prompts must be at least {LEAST}: the first {WARM_UP} are not measured")
    with tempfile.TemporaryDirectory() as folder:
        make_models(Path(folder) / "models")
        base = Path(folder) / "comfy"
        base.mkdir()
        with ComfyServer(options.host, base, Path(folder) / "models") as server:
            samples, ends = soak(server, options.prompts, random.Random(options.seed))
            return report(samples, ends, base)


def make_models(folder: Path) -> None:
    """Write all models that the graphs use. They are tiny, except GlueStick, which has one size."""
    write_stand_ins(folder)
    write_for_workflows(folder)
    for layout in ("official", "single"):
        write_droplet(folder, layout=layout)
    write_smcd(folder)
    write_modelscope(folder)
    for source, name in DWPOSE:
        shutil.copy(GOLDEN / "dwpose" / source, folder / name)
    shapes = json.loads((GOLDEN / "gluestick" / "keys.json").read_text("utf-8"))
    matcher, points = (
        fill({key: tuple(shape) for key, shape in shapes[part].items()}, {})
        for part in ("gluestick", "superpoint")
    )
    matcher = {f"matcher.module.{key}": value for key, value in matcher.items()}
    torch.save({"model": matcher, "epoch": 1}, folder / "checkpoint_GlueStick_MD.tar")
    torch.save(points, folder / "superpoint_v1.pth")


def soak(server: ComfyServer, count: int, rng: random.Random) -> tuple[list[Sample], Counter]:
    """Run graphs. Returns the figures after each graph, and counts of (expected, real) ends."""
    process = psutil.Process(server.process.pid)
    samples, ends = [], Counter()
    begun = time.monotonic()
    for i in range(count):
        write_pictures(server.base / "input", rng)
        fails = i % 11 == FAILS
        prompt = make_prompt(GRAPHS[i % len(GRAPHS)], rng, fails=fails)
        # Only sampling takes long enough to be interrupted.
        samples_latents = any("steps" in node["inputs"] for node in prompt.values())
        interrupted = i % 11 == INTERRUPTED and samples_latents
        if interrupted:
            make_small(prompt, steps=1000)
        wanted = "error" if fails else "interrupted" if interrupted else "success"
        ends[wanted, run(server, prompt, rng if interrupted else None)] += 1
        server.post("/history", {"clear": True})
        if i % 50 == FREED:
            server.post("/free", {"unload_models": True, "free_memory": True})
        samples.append(take(process))
        if i % 25 == 24 or i == count - 1:
            say(i + 1, samples[-1], time.monotonic() - begun)
    return samples, ends


def write_pictures(folder: Path, rng: random.Random) -> None:
    """Write a new pair of keyframes under the same names, so that no cache can be used."""
    colour = np.array([rng.randrange(256) for _ in range(3)], np.uint8)
    for name, frame in zip(("first", "last"), draw_sample_pair((144, 256)), strict=True):
        frame = frame.copy()
        x, y = rng.randrange(200), rng.randrange(100)
        frame[y : y + 40, x : x + 50] = colour
        Image.fromarray(frame).save(folder / f"{name}.png")


def make_prompt(name: str, rng: random.Random, *, fails: bool) -> dict:
    """A graph with random numbers; if it should fail, one number is bad."""
    width, height = rng.choice(SIZES)
    prompt = make_small(read_workflow(f"api/{name}"), num_frames=rng.choice((5, 6, 7)))
    for node in prompt.values():
        inputs = node["inputs"]
        sides = {"width": width, "height": height}
        changed = {
            **({} if node["class_type"] in PICTURE_SIZED else sides),
            "seed": rng.randrange(2**32),
            "noise_seed": rng.randrange(2**32),
            "max_lines": rng.randrange(20, 400),
            "match_threshold": rng.uniform(0.0, 0.5),
            "smoothing": rng.uniform(0.0, 2.0),
        }
        inputs.update(
            {
                key: value
                for key, value in changed.items()
                if isinstance(inputs.get(key), int | float)
            }
        )
    if fails:
        node = rng.choice([node for node in prompt.values() if node["class_type"] in BAD])
        node["inputs"].update(BAD[node["class_type"]])
    return prompt


def run(server: ComfyServer, prompt: dict, interrupt: random.Random | None) -> str:
    """Run a graph, and interrupt it at a random moment if wanted; returns how it ended."""
    answer = server.post("/prompt", {"prompt": prompt})
    if "prompt_id" not in answer:
        return "error"
    # Repeated until the graph has ended: the host ignores an interrupt before the graph starts.
    while interrupt and answer["prompt_id"] not in server.get("/history"):
        time.sleep(interrupt.uniform(0.0, 2.0))
        server.post("/interrupt", {})
    status = server.wait(answer["prompt_id"])["status"]
    if any(kind == "execution_interrupted" for kind, _ in status["messages"]):
        return "interrupted"
    return status["status_str"]


def take(process: psutil.Process) -> Sample:
    """Current figures of the server."""
    files = process.num_handles() if sys.platform == "win32" else process.num_fds()
    return Sample(process.memory_info().rss, files, process.num_threads())


def say(count: int, sample: Sample, seconds: float) -> None:
    """Print a row of the table."""
    print(
        f"{count:5d} graphs, {seconds / 60:5.1f} min: {sample.memory / MB:7.1f} MB, "
        f"{sample.files} open files, {sample.threads} threads",
        flush=True,
    )


def report(samples: list[Sample], ends: Counter, base: Path) -> int:
    """Print the figures; returns 1 if a figure or an end of a graph is wrong, otherwise 0."""
    steady = samples[WARM_UP:]
    memory = slope([sample.memory / 1024 for sample in steady])
    faults = []
    if memory > MAX_SLOPE:
        faults.append(f"memory grows by {memory:.1f} KB per graph; up to {MAX_SLOPE:.0f} is noise")
    for name in ("files", "threads"):
        counts = [getattr(sample, name) for sample in steady]
        quarter = max(1, len(counts) // 4)
        more = statistics.median(counts[-quarter:]) - statistics.median(counts[:quarter])
        if more > MAX_MORE:
            faults.append(f"{name} grow by {more:.0f}")
    most = max(sample.memory for sample in steady)
    print(
        f"Memory: {steady[0].memory / MB:.1f} MB after the warm-up, {most / MB:.1f} MB at most, "
        f"{steady[-1].memory / MB:.1f} MB at the end; slope {memory:+.1f} KB per graph."
    )
    print(
        f"Open files: {steady[0].files}, then {steady[-1].files}. "
        f"Threads: {steady[0].threads}, then {steady[-1].threads}."
    )
    for name in ("output", "temp"):
        sizes = [path.stat().st_size for path in (base / name).rglob("*") if path.is_file()]
        print(f"{name}/: {len(sizes)} files, {sum(sizes) / MB:.1f} MB.")
    for (wanted, found), count in sorted(ends.items()):
        if wanted == found:
            print(f"{count} graphs: {found}, as expected.")
        else:
            faults.append(f"{count} graphs should end with {wanted}, but ended with {found}")
    for fault in faults:
        print(f"*** {fault}")
    return int(bool(faults))


def slope(values: list[float]) -> float:
    """Mean growth from one value to the next, by least squares."""
    return float(np.polyfit(np.arange(len(values)), values, 1)[0]) if len(values) > 1 else 0.0


if __name__ == "__main__":
    sys.exit(main())
