"""What exact savings spare, in ComfyUI: python benchmarks/savings.py COMFYUI

    --latents HxW     of the video whose seconds and memory are measured (default 16x16)
    --frames N        (default 8)
    --runs N          of which the fastest counts (default 3)

COMFYUI is a folder of ComfyUI. A row compares one piece of work before and after:

    TFLOP       at 576x1024 with 25 frames, counted on networks of SVD's sizes without values;
                for work of a whole step: of its four passes and of ControlNeXt
    seconds     on this machine, on stand-ins of SVD, which have a smaller width
    MB          the most memory that tensors take meanwhile, as seconds; beside it what has to be
                kept between steps at 576x1024 with 25 frames, in half precision
    difference  the largest one between both results, against the deviation of the results

Savings that the pack does not use are listed too. Nothing is asserted.
"""

import argparse
import importlib
import importlib.util
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
PACK = "custom_nodes_fcvg"  # the host's name for this pack
HEIGHT, WIDTH, FRAMES = 576, 1024, 25  # of a video as SVD was trained for
PASSES = 4  # of a step: two directions, each with and without a condition
HALF = {"device": "meta", "dtype": torch.float16}


@dataclass(frozen=True)
class Cost:
    """What a piece of work takes; None: not measured."""

    tera: float | None = None
    seconds: float | None = None
    peak: float | None = None
    kept: float = 0.0

    def __str__(self) -> str:
        numbers = (
            "-" if self.tera is None else f"{self.tera:.3f}",
            "-" if self.seconds is None else f"{self.seconds:.3f}",
            "-" if self.peak is None else f"{self.peak / 1e6:.1f}",
        )
        return "{:>9} {:>8} {:>7}".format(*numbers) + f" {self.kept / 1e6:>6.0f}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("comfyui", type=Path)
    parser.add_argument("--latents", default="16x16")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    open_host(options.comfyui)
    size = tuple(int(side) for side in options.latents.split("x"))
    compare(Machine(size, options.frames, options.runs))


def open_host(folder: Path) -> None:
    """Import the host, and this pack under the name that it has in the host."""
    sys.path.insert(0, str(folder))
    import comfy.cli_args

    comfy.cli_args.args.cpu = comfy.cli_args.args.use_pytorch_cross_attention = True
    if PACK not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            PACK, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
        )
        sys.modules[PACK] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[PACK])


def module(name: str):
    return importlib.import_module(f"{PACK}.{name}")


@dataclass(frozen=True)
class Machine:
    """Measures seconds and memory on this machine.

    Attributes:
        size: (height, width) of latents.
        frames: number of frames.
        runs: of which the fastest counts.
    """

    size: tuple[int, int]
    frames: int
    runs: int

    def measure(self, call: Callable[[], Tensor]) -> tuple[Cost, Tensor]:
        """Seconds and memory of a call, and its result."""
        from memory import PeakBytes

        call()  # loads the model
        with PeakBytes() as counted:
            out = call()
        seconds = []
        for _ in range(self.runs):
            begin = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - begin)
        return Cost(seconds=min(seconds), peak=counted.peak), out


@torch.inference_mode()
def compare(machine: Machine) -> None:
    """Print a table with a pair of rows for each saving."""
    print(f"{'':<52} {'TFLOP':>9} {'seconds':>8} {'MB':>7} {'kept':>6}  difference")
    with tempfile.TemporaryDirectory() as folder:
        from stand_ins import write_stand_ins

        write_stand_ins(Path(folder))
        show("One token in cross-attention, a pass", *one_token(machine, Path(folder)))
        encoders = keyframes(machine, Path(folder))
    step = PASSES * count_pass(full_unet()) + count(full_controlnext(), *control_inputs())
    for name, spared in {
        "ControlNeXt before the timestep": before_the_timestep(),
        "Image latents in the first convolution": image_latents(),
    }.items():
        tera, kept = spared
        show(f"{name}, a step", Cost(step), Cost(step - tera, kept=kept))
    for name, found in encoders.items():
        show(f"Both keyframes in one call of {name}", *found)


def show(name: str, before: Cost, after: Cost, difference: float | None = None) -> None:
    apart = "" if difference is None else f"{difference:10.1e}"
    print(f"{name:<45} before {before}")
    print(f"{'':<45} after  {after}  {apart}", flush=True)


def count(call: Callable, *inputs: Tensor, **named) -> float:
    """TFLOP of a call."""
    with FlopCounterMode(display=False) as counted:
        call(*inputs, **named)
    return counted.get_total_flops() / 1e12


def full_unet() -> nn.Module:
    """The host's UNet in SVD's sizes, without values."""
    from diffusers import UNetSpatioTemporalConditionModel

    with torch.device("meta"):
        weights = UNetSpatioTemporalConditionModel().half().state_dict()
    renamed = module("fcvg_core.models.svd").rename_unet(weights)
    config = module("nodes.host.svd.loading")._svd_config(renamed, "SVD")
    config.set_inference_dtype(torch.float16, None)
    return config.get_model(renamed, "", device=torch.device("meta")).diffusion_model


def count_pass(unet: nn.Module) -> float:
    """TFLOP of a pass of SVD's UNet."""
    inputs = torch.empty(FRAMES, 8, HEIGHT // 8, WIDTH // 8, **HALF)
    level = torch.empty(FRAMES, device="meta")
    context, numbers = torch.empty(FRAMES, 1, 1024, **HALF), torch.empty(FRAMES, 768, **HALF)
    named = {"context": context, "y": numbers, "num_video_frames": FRAMES}
    return count(unet, inputs, level, **named, transformer_options={})


def one_token(machine: Machine, folder: Path) -> tuple[Cost, Cost, float]:
    """A pass with the host's cross-attention, and with that of the pack."""
    import comfy.model_management as mm

    rules = module("nodes.host.svd.one_token")
    load = module("nodes.host.svd.loading").load_unet
    model = load(str(folder / "unet.safetensors"), None, "default")
    quick = model.clone()
    rules.use_one_token(quick)
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(machine.frames, 8, *machine.size, generator=draw)
    context = torch.randn(machine.frames, 1, 64, generator=draw)
    numbers = torch.randn(machine.frames, 768, generator=draw)
    found = []
    for patcher in (model, quick):
        mm.load_models_gpu([patcher])
        network = patcher.model.diffusion_model
        measured, out = machine.measure(
            lambda network=network: network(
                x,
                torch.ones(machine.frames),
                context=context,
                y=numbers,
                num_video_frames=machine.frames,
                transformer_options={},
            )
        )
        unet = full_unet()
        for key, kind in patcher.object_patches.items():
            layer = key.removeprefix("diffusion_model.").removesuffix(".__class__")
            unet.get_submodule(layer).__class__ = kind
        found.append((replace(measured, tera=count_pass(unet)), out))
    (before, wanted), (after, out) = found
    return before, after, float((out - wanted).abs().max() / wanted.std())


def full_controlnext() -> nn.Module:
    networks = module("fcvg_core.models.controlnext.network")
    return networks.ControlNeXt(networks.V2, **HALF)


def control_inputs() -> tuple[Tensor, Tensor]:
    return torch.empty(FRAMES, 3, HEIGHT, WIDTH, **HALF), torch.empty((), **HALF)


def before_the_timestep() -> tuple[float, float]:
    """TFLOP of the layers that are the same in every step, and bytes of their results."""
    network, (frames, _) = full_controlnext(), control_inputs()
    resnet = network.down_res[0]

    def run() -> tuple[Tensor, Tensor]:
        hidden = network.embedding(frames)
        inner = resnet.conv1(nn.functional.silu(resnet.norm1(hidden)))
        return inner, resnet.conv_shortcut(hidden)

    return count(run), float(sum(x.nbytes for x in run()))


def image_latents() -> tuple[float, float]:
    """TFLOP of the image latents' half of the first convolution, and bytes of its results."""
    half = nn.Conv2d(4, 320, 3, padding=1, **HALF)
    latents = torch.empty(FRAMES, 4, HEIGHT // 8, WIDTH // 8, **HALF)
    return PASSES * count(half, latents), float(PASSES * half(latents).nbytes)


def keyframes(machine: Machine, folder: Path) -> dict[str, tuple[Cost, Cost, float]]:
    """Both keyframes one after another and in one call, for the VAE and for CLIP."""
    clip, vae = module("nodes.host.svd.loading").load_svd_encoders(str(folder / "svd"))
    embed = module("nodes.host.svd.conditioning").embed_frame
    draw = torch.Generator().manual_seed(0)
    sides = tuple(8 * side for side in machine.size)
    frames = torch.rand(2, 3, *sides, generator=draw)
    found = {}
    for name, encode in {
        "the VAE": lambda pictures: vae.encode(pictures.movedim(1, -1)),
        "CLIP": lambda pictures: embed(clip, pictures),
    }.items():
        before, wanted = machine.measure(
            lambda encode=encode: torch.cat([encode(frame) for frame in frames.split(1)])
        )
        after, out = machine.measure(lambda encode=encode: encode(frames))
        found[name] = before, after, float((out - wanted).abs().max() / wanted.std())
    return found


if __name__ == "__main__":
    main()
