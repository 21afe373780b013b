"""Modules of benchmarks/learn.py, and a short run over the VAE that was committed."""

import importlib.util
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch
from hosts import ROOT

BENCHMARKS = ROOT / "benchmarks"
TWO_CLIPS = ROOT / "tests" / "two_clips"
SIDE = 64  # of a frame, in pixels
STEPS = 30


@cache
def benchmark(name: str):
    """A module of benchmarks/, which is no package; by its file, as a clone may be called alike."""
    paths = list(sys.path)
    sys.path.append(str(BENCHMARKS))  # where the module finds the others
    try:
        spec = importlib.util.spec_from_file_location(f"fcvg_{name}", BENCHMARKS / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # where its dataclasses look for their own names
        spec.loader.exec_module(module)
        return module
    finally:
        # The module puts the project first, whose `nodes` would then hide ComfyUI's.
        sys.path[:] = paths


def learn_small(output: Path, steps: int = STEPS) -> Path:
    """Train on the middle of both clips, in one thread, and export; returns the models' folder."""
    learn = benchmark("learn")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return learn.train(output, small_clips(), learn.SEED, steps, open_vae=committed_vae)
    finally:
        torch.set_num_threads(threads)


def small_clips() -> tuple:
    """The middle of both clips: frames and control frames."""

    def middle(frames):
        top, left = ((length - SIDE) // 2 for length in frames.shape[1:3])
        return frames[:, top : top + SIDE, left : left + SIDE].copy()

    drawn = benchmark("two_clips").draw_clips(benchmark("learn").SEED)
    return tuple(
        replace(clip, frames=middle(clip.frames), control=middle(clip.control)) for clip in drawn
    )


def committed_vae() -> torch.nn.Module:
    """The VAE of the committed models, in float32."""
    from fcvg_core.standalone.networks.loading import check_vae_files

    return check_vae_files(TWO_CLIPS / "svd", torch.float32).fill()
