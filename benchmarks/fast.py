"""What each switch that saves time saves, and how far it moves the video: python benchmarks/fast.py

    --models FOLDER   svd/, unet.safetensors and controlnext.safetensors; without it stand-ins are
                      made, whose frames are noise
    --size HxW        of the video, multiples of 64 (default 64x128)
    --frames N        (default 8)
    --steps N         of the full run (default 25)

A row is a run with the switches that it names. Its columns:

    passes            of the UNet, counted
    shallow           how many of these passes use deep features again (--cache)
    operations        of UNet and ControlNeXt at 576x1024 with 25 frames, against the full run:
                      counted passes times the operations of a pass, which are counted on networks
                      of SVD's sizes without values
    seconds           of the processor, for encoding and sampling, against the full run
    latents           root mean square of the difference to the full run, against the full run's
    PSNR              of the frames, against the frames of the full run

The differences say how far a switch leads away from the full run with the same seed. They do not
say how good a video is. Nothing is asserted.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fcvg_core.choices import AYS  # noqa: E402
from fcvg_core.lines import (  # noqa: E402
    ClassicLineMatcher,
    draw_lines,
    interpolate_lines,
    match_colors,
)
from fcvg_core.measures import psnr  # noqa: E402
from fcvg_core.models.controlnext import V2, ControlNeXt  # noqa: E402
from fcvg_core.progress import silent  # noqa: E402
from fcvg_core.settings import FAST, SamplingSettings  # noqa: E402
from fcvg_core.standalone.demo.scene import draw_sample_pair  # noqa: E402
from fcvg_core.standalone.networks.loading import (  # noqa: E402
    Models,
    check_models,
    fill_models,
)
from fcvg_core.standalone.networks.one_token import use_one_token  # noqa: E402
from fcvg_core.standalone.networks.pipeline import (  # noqa: E402
    InbetweenPipeline,
    PlainInbetweenPipeline,
)
from fcvg_core.standalone.networks.shallow import ShallowUnet  # noqa: E402
from fcvg_core.standalone.spec import InbetweenSampling  # noqa: E402
from fcvg_core.timeline import inbetween_times  # noqa: E402

SEED, FPS = 0, 7
FULL, MPD = "full run", "--sampler mpd"
SWITCHES = {
    "--steps 10": {"steps": 10},
    "--steps 10 --schedule ays": {"steps": 10, "schedule": AYS},
    "guidance from 0.25 to 0.49": {"guidance_from": 0.25, "guidance_until": 0.49},
    "--forward-share 0.2": {"forward_share": 0.2},
    "--cache 2": {"cache_interval": 2},
    "--cache 3": {"cache_interval": 3},
    "--fast, without --cache": {**FAST, "cache_interval": 1},
    "--fast": FAST,
}


@dataclass(frozen=True)
class Run:
    """What came out of a run, and what it took."""

    latents: torch.Tensor
    frames: np.ndarray
    passes: int
    shallow: int
    controls: int  # evaluations of ControlNeXt on all frames
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, metavar="FOLDER")
    parser.add_argument("--size", default="64x128", metavar="HxW")
    parser.add_argument("--frames", type=int, default=8, metavar="N")
    parser.add_argument("--steps", type=int, default=25, metavar="N")
    options = parser.parse_args()
    height, width = map(int, options.size.split("x"))
    settings = InbetweenSampling(steps=options.steps).settings(num_frames=options.frames, fps=FPS)
    if options.models:
        compare(options.models, (height, width), settings)
        return
    from stand_ins import write_stand_ins

    with tempfile.TemporaryDirectory() as folder:
        write_stand_ins(Path(folder))
        compare(Path(folder), (height, width), settings)


def compare(folder: Path, size: tuple[int, int], settings: SamplingSettings) -> None:
    """Print the table of all switches."""
    cost = count_operations()
    video = f"{settings.num_frames} frames of {size[0]} x {size[1]}, {settings.steps} steps"
    print(f"{video}; a whole pass at 576 x 1024 x 25 has {cost['whole']:.1f} TFLOP, a shallow one")
    print(f"{cost['shallow']:.1f}, ControlNeXt {cost['control']:.1f} in a step")
    print(f"{'':28s} passes shallow operations seconds latents PSNR dB")
    files = (folder / name for name in ("unet.safetensors", "controlnext.safetensors"))
    models = Models(**dict(fill_models(check_models(folder / "svd", *files, torch.float32))))
    bench = Bench(InbetweenPipeline(models, device=torch.device("cpu"), offload=False), size)
    bench.run(replace(settings, steps=1))  # the first run is slower
    full = bench.run(settings)
    show(FULL, full, full, cost)
    for name, changes in SWITCHES.items():
        show(name, bench.run(replace(settings, **changes)), full, cost)
    models = Models(**dict(fill_models(check_models(folder / "svd", None, None, torch.float32))))
    plain = PlainInbetweenPipeline(models, device=torch.device("cpu"), offload=False)
    show(MPD, Bench(plain, size).run(settings), full, cost)


def show(name: str, run: Run, full: Run, cost: dict[str, float]) -> None:
    """Print a run's row."""
    work, whole = (operations(which, cost) for which in (run, full))
    apart = (run.latents - full.latents).norm() / full.latents.norm()
    closeness = psnr(full.frames, run.frames).mean()
    print(
        f"{name:28s} {run.passes:6d} {run.shallow:7d} {work / whole:10.3f} "
        f"{run.seconds / full.seconds:7.3f} {apart:7.3f} {closeness:7.1f}"
    )


def operations(run: Run, cost: dict[str, float]) -> float:
    """TFLOP of a run at the full size."""
    whole = run.passes - run.shallow
    return whole * cost["whole"] + run.shallow * cost["shallow"] + run.controls * cost["control"]


class Bench:
    """Runs a pipeline between two drawn keyframes, and counts."""

    def __init__(self, pipeline: InbetweenPipeline | PlainInbetweenPipeline, size: tuple[int, int]):
        self.pipeline = pipeline
        self.keyframes = draw_sample_pair(size)
        self.matches = ClassicLineMatcher()(*self.keyframes)
        self.size = size

    def run(self, settings: SamplingSettings) -> Run:
        """Sample and decode."""
        models, pipeline = self.pipeline.models, self.pipeline
        kept = []
        decode = pipeline.decode
        # The latents on their way to the VAE, and the moment.
        pipeline.decode = lambda latents, *more: (
            kept.append((latents, time.process_time())) or decode(latents, *more)
        )
        passes = Counted(models.unet.conv_in, settings.num_frames)
        deep = Counted(models.unet.mid_block.resnets[0], settings.num_frames)
        control = Counted(models.controlnext, settings.num_frames)
        begin = time.process_time()
        with passes, deep, control:
            frames = self.paint(settings)
        del pipeline.decode
        (latents, end), *_ = kept
        return Run(
            latents,
            frames,
            passes=round(passes.videos),
            shallow=round(passes.videos - deep.videos),
            controls=round(control.videos),
            seconds=end - begin,
        )

    def paint(self, settings: SamplingSettings) -> np.ndarray:
        """uint8 [T, H, W, 3]."""
        more = {"seed": SEED, "decode_chunk": settings.num_frames, "progress": silent}
        if isinstance(self.pipeline, PlainInbetweenPipeline):
            return self.pipeline(self.keyframes, settings, **more)
        track = interpolate_lines(self.matches, inbetween_times(settings.num_frames))
        colors = match_colors(self.matches, seed=SEED)
        control = np.stack(list(draw_lines(track, self.size, line_width=1, colors=colors)))
        return self.pipeline(self.keyframes, control, settings, **more)


class Counted:
    """Counts the frames that a network gets, in videos."""

    def __init__(self, network: torch.nn.Module | None, num_frames: int):
        self.videos = 0.0
        self._network = network
        self._num_frames = num_frames

    def __enter__(self) -> None:
        if self._network is not None:
            self._handle = self._network.register_forward_pre_hook(self._count)

    def _count(self, network: torch.nn.Module, args: tuple) -> None:
        self.videos += len(args[0]) / self._num_frames

    def __exit__(self, *exception) -> None:
        if self._network is not None:
            self._handle.remove()


def count_operations() -> dict[str, float]:
    """TFLOP of a pass of SVD's UNet and of ControlNeXt, for 25 frames of 576 x 1024."""
    from diffusers import UNetSpatioTemporalConditionModel

    make = {"device": "meta", "dtype": torch.float16}
    with torch.device("meta"):
        unet = UNetSpatioTemporalConditionModel().half().to("meta")
    use_one_token(unet)
    control = ControlNeXt(V2, **make)
    inputs = (torch.empty(1, 25, 8, 72, 128, **make), torch.empty((), device="meta"))
    conditions = {
        "encoder_hidden_states": torch.empty(1, 1, 1024, **make),
        "added_time_ids": torch.empty(1, 3, device="meta"),
        "return_dict": False,
    }
    features = torch.empty(25, 320, 72, 128, **make)
    frames, level = torch.empty(25, 3, 576, 1024, **make), torch.empty((), **make)
    shallow = ShallowUnet(unet)
    return {
        "whole": tera(lambda: unet(*inputs, **conditions)),
        "shallow": tera(lambda: shallow(*inputs, **conditions, features=features)),
        "control": tera(lambda: control(frames, level)),
    }


@torch.no_grad()
def tera(call: Callable[[], object]) -> float:
    """TFLOP of a call."""
    with FlopCounterMode(display=False) as counted:
        call()
    return counted.get_total_flops() / 1e12


if __name__ == "__main__":
    main()
