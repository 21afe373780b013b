"""Peak memory of sampling and decoding against frames and size: python benchmarks/memory.py

Tiny stand-in models run on the CPU. Counted are the bytes of all tensors that live at the same
time, and in decoding also the bytes of NumPy's arrays. What an allocator or a library holds beside
them is not counted. The peak of sampling is given as a multiple of the first row's peak, and beside
it stands the multiple that `estimate` computes. The peak of decoding is given as a multiple of a
decoded frame.

    COMFYUI       folder of a ComfyUI, whose guider and whose decoding are measured too
    --frames N... lengths of the videos (default 25 50 100)
    --side N      height and width of the frames (default 64), which sampling also tries larger

Nothing is asserted.
"""

import argparse
import asyncio
import importlib
import importlib.util
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from memory import PeakBytes  # noqa: E402

from fcvg_core.estimate import estimate  # noqa: E402
from fcvg_core.progress import silent  # noqa: E402
from fcvg_core.settings import SamplingSettings  # noqa: E402
from fcvg_core.standalone.spec import InbetweenSampling  # noqa: E402

WINDOW, OVERLAP = 25, 6
STEPS = 2  # the second step of a cache uses what the first step has kept
PACK = "custom_nodes_fcvg"  # the host's name for this pack


@dataclass(frozen=True)
class Case:
    """A run of the sampling part."""

    frames: int
    window: int
    side: int  # height and width in pixels
    cache_interval: int = 1

    @property
    def settings(self) -> SamplingSettings:
        sampling = InbetweenSampling(
            steps=STEPS,
            window=self.window,
            overlap=OVERLAP,
            cache_interval=self.cache_interval,
        )
        return sampling.settings(num_frames=self.frames, fps=7)

    @property
    def expected(self) -> int:
        """Bytes of a step in full size, as `estimate` has them."""
        kept = 4 if self.cache_interval > 1 else 0
        video = ((self.side, self.side), self.frames, self.window, "fp32")
        return estimate(*video, overlap=OVERLAP, at_once=2, kept=kept).step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("comfyui", type=Path, nargs="?", metavar="COMFYUI")
    parser.add_argument("--frames", type=int, nargs="+", default=[25, 50, 100], metavar="N")
    parser.add_argument("--side", type=int, default=64, metavar="N")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        from stand_ins import write_stand_ins

        write_stand_ins(Path(folder))
        faces = [CommandLine(Path(folder))]
        if options.comfyui:
            faces.append(Host(options.comfyui, Path(folder)))
        for face in faces:
            compare_sampling(face, cases(options.frames, options.side))
            compare_decoding(face, options.frames, options.side)


def cases(frames: list[int], side: int) -> list[Case]:
    """Longer videos, longer windows, larger frames, and a cache."""
    return [
        Case(frames[0], WINDOW, side),
        *(Case(count, WINDOW, side) for count in frames[1:]),
        Case(frames[1], frames[1], side),
        Case(frames[0], WINDOW, side + 64),
        Case(frames[0], WINDOW, side, cache_interval=2),
        Case(frames[-1], WINDOW, side, cache_interval=2),
    ]


def compare_sampling(face: "CommandLine | Host", runs: list[Case]) -> None:
    """Print the peak of each run, relative to the first run."""
    print(f"\n{face.name}: sampling")
    print("frames  window  side  cache  peak MB  ratio  estimate")
    first = None
    for case in runs:
        run = face.prepare(case)
        with PeakBytes() as tensors:
            run()
        peak = tensors.peak
        first = first or peak
        print(
            f"{case.frames:6}  {case.window:6}  {case.side:4}  {case.cache_interval:5}  "
            f"{peak / 2**20:7.1f}  {peak / first:5.2f}  {case.expected / runs[0].expected:8.2f}"
        )


def compare_decoding(face: "CommandLine | Host", frames: list[int], side: int) -> None:
    """Print the peak of decoding, and of what comes after it, as multiples of a frame."""
    print(f"\n{face.name}: decoding; 1.00 is a decoded frame")
    peaks = {}
    for count, chunk in ((frames[0], 2), (frames[0], 8), (frames[-1], 2)):
        latents = torch.randn(count, 4, side // 8, side // 8)
        with PeakBytes() as tensors, traced() as arrays:
            video = face.decode(latents, chunk)
        peaks[count, chunk] = (tensors.peak + arrays.peak) / video[0].nbytes
        print(f"{count:4} frames, {chunk} at once: {peaks[count, chunk]:7.1f}")
    few, many, more = peaks[frames[0], 2], peaks[frames[-1], 2], frames[-1] - frames[0]
    print(f"a frame more: {(many - few) / more:.2f}")
    print(f"a frame more at once: {(peaks[frames[0], 8] - few) / 6:.1f}")
    for name, video, run in face.afterwards((frames[0], 4 * side, 4 * side, 3)):
        with PeakBytes() as tensors, traced() as arrays:
            run()
        print(f"{name}: {(tensors.peak + arrays.peak) / video.nbytes:.2f} of the video beside it")


@contextmanager
def traced() -> Iterator[SimpleNamespace]:
    """Bytes that Python allocates, and NumPy through it; PyTorch has its own allocator."""
    tracemalloc.start()
    found = SimpleNamespace(peak=0)
    before = tracemalloc.get_traced_memory()[0]
    try:
        yield found
    finally:
        found.peak = tracemalloc.get_traced_memory()[1] - before
        tracemalloc.stop()


class CommandLine:
    """The face without ComfyUI."""

    name = "Command line"

    def __init__(self, models: Path):
        from fcvg_core.standalone.networks.loading import Models, check_models, fill_models
        from fcvg_core.standalone.networks.pipeline import InbetweenPipeline

        files = (models / name for name in ("svd", "unet.safetensors", "controlnext.safetensors"))
        loaded = Models(**dict(fill_models(check_models(*files, torch.float32))))
        self.pipeline = InbetweenPipeline(loaded, device=torch.device("cpu"), offload=False)

    def prepare(self, case: Case) -> Callable:
        """A function that samples; keyframes and control frames are there before."""
        keyframe = np.zeros((case.side, case.side, 3), np.uint8)
        control = np.zeros((case.frames, *keyframe.shape), np.uint8)
        return lambda: self.pipeline.denoise(
            (keyframe, keyframe), control, case.settings, seed=0, progress=silent
        )

    def decode(self, latents: torch.Tensor, chunk: int) -> np.ndarray:
        from fcvg_core.standalone.networks.vae import collect_video

        return collect_video(self.pipeline.decode(latents, chunk, silent), len(latents))

    def afterwards(self, shape: tuple[int, ...]) -> Iterator[tuple[str, np.ndarray, Callable]]:
        """What may follow with a video: its name, the video, and a function that does it."""
        from fcvg_core.standalone.media.writing import write_frames, write_video

        video = np.zeros(shape, np.uint8)
        with tempfile.TemporaryDirectory() as folder:
            yield "written as pictures", video, lambda: write_frames(Path(folder, "frames"), video)
            yield "written as MP4", video, lambda: write_video(Path(folder, "a.mp4"), video, 7)


class Host:
    """The pack in a ComfyUI, without its server."""

    name = "ComfyUI"

    def __init__(self, comfyui: Path, models: Path):
        sys.path.insert(0, str(comfyui.expanduser()))
        import comfy.cli_args

        comfy.cli_args.args.cpu = True
        import comfy.samplers  # noqa: F401
        from guiding import Rig

        spec = importlib.util.spec_from_file_location(
            PACK, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
        )
        sys.modules[PACK] = pack = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(pack)
        classes = asyncio.run(asyncio.run(pack.comfy_entrypoint()).get_node_list())
        self.nodes = {node.define_schema().node_id: node for node in classes}
        loading = self.load("nodes.host.svd.loading")
        load_controlnext = self.load("nodes.host.controlnext.loading").load_controlnext
        self.vae = loading.load_svd_encoders(str(models / "svd"))[1]
        model = loading.load_unet(str(models / "unet.safetensors"), None, "default")
        controlnext = load_controlnext(str(models / "controlnext.safetensors"))
        self.make_rig = partial(Rig, self.load, model, controlnext)

    @staticmethod
    def load(name: str):
        """A module of the pack."""
        return importlib.import_module(f"{PACK}.{name}")

    def prepare(self, case: Case) -> Callable:
        """A function that samples; conditionings and control frames are there before."""
        rig = self.make_rig(case.side // 8)
        model = rig.steer(frames=case.frames)
        if case.cache_interval > 1:
            cache = self.load("nodes.host.svd.cache")
            model = cache.cache_features(model, interval=case.cache_interval)
        guider = rig.inbetween(model, window=case.window, overlap=OVERLAP)
        return lambda: rig.sample(guider, steps=STEPS, frames=case.frames)

    def decode(self, latents: torch.Tensor, chunk: int) -> torch.Tensor:
        keyframe = torch.zeros(1, 8 * latents.shape[2], 8 * latents.shape[3], 3)
        ends = {"first_frame": keyframe, "last_frame": keyframe}
        return (
            self.nodes["FCVG_DecodeFrames"]
            .execute(self.vae, {"samples": latents}, chunk, **ends)
            .args[0]
        )

    def afterwards(self, shape: tuple[int, ...]) -> Iterator[tuple[str, torch.Tensor, Callable]]:
        """What may follow with a video: its name, the video, and a function that does it."""
        join = self.load("nodes.host.clips").join_frames
        video = torch.zeros(shape)
        clips = {"first": video[: shape[0] // 2], "second": video[shape[0] // 2 :]}
        yield "Join Clips of its halves", video, lambda: join(clips, shares_frame=False)


if __name__ == "__main__":
    main()
