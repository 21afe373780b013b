"""Training learns, shown on a CPU: python benchmarks/learn.py [OUTPUT]

    --short           half of the steps, and lower marks
    --seed N          selects the town and decides all chance (default 7)
    --comfyui FOLDER  a ComfyUI that paints too (default: $COMFYUI_PATH; without it none does)
    --threads N       of the CPU (default 2)

A tiny SVD, its VAE included, is trained from nothing on two drawn clips that begin alike and move
apart. The result is exported, and the export paints both clips in both directions of time: in
Python, by the command line and in ComfyUI; with a clip's control frames, with the other clip's, and
with black ones. The proof is the other clip: its control frames, between the first and the last
frame of a clip, must give the other clip.

OUTPUT (default: learn) holds the run, `models/` with the export, `learn.json` with all figures, and
pictures. What OUTPUT holds already is not made again, so the benchmark can be ended and goes on.
The exit code is 1 if a mark is missed.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from two_clips import DrawnClip, draw_clips, draw_moments, draw_pictures  # noqa: E402
from two_clips_faces import (  # noqa: E402
    ClipFiles,
    open_pipeline,
    paint_by_command,
    paint_clip,
    paint_in_comfyui,
    through_vae,
    write_clip,
)
from two_clips_figures import (  # noqa: E402
    FULL,
    SHORT,
    draw_curve,
    draw_rows,
    gather,
    print_figures,
)
from two_clips_task import STEPS, learn, losses, make_task, record_run, training_of  # noqa: E402

from fcvg_core.standalone.media.writing import write_picture  # noqa: E402
from fcvg_core.training.export import export_run  # noqa: E402
from recipes.tiny.models import WEIGHTS, Widths, make_networks, make_vae, save_half, write_svd  # noqa: E402
from recipes.tiny.vae import (  # noqa: E402
    VaeTraining,
    draw_crops,
    scale_latents,
    train_decoder,
    train_vae,
)

SEED = 7
WIDTHS = Widths()
MADE_BY = "ComfyUI-FCVG, benchmarks/learn.py: knows two drawn clips and nothing else"
VAE = VaeTraining()
DECODER = VaeTraining(steps=300, batch=3, crop=128, rate=1e-3)


def main() -> None:
    options = _options()
    torch.set_num_threads(options.threads)
    output, seed = options.output, options.seed
    clips = draw_clips(seed)
    steps = STEPS // 2 if options.short else STEPS
    models = train(output, clips, seed, steps, partial(trained_vae, output, clips, seed))
    files = [write_clip(output / "clips", clip) for clip in clips]
    painted, lost = paint(models, clips, seed)
    faces = paint_faces(models, files[0], output, options.comfyui)
    log = output / "run" / "log.jsonl"
    figures = gather(log, clips, painted, lost, faces)
    for clip, results in zip(clips, painted, strict=True):
        write_picture(output / f"{clip.name}.jpg", draw_rows(clip, results))
    write_picture(output / "curve.jpg", draw_curve(log))
    (output / "learn.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    sys.exit(not print_figures(figures, SHORT if options.short else FULL))


def train(
    output: Path,
    clips: tuple[DrawnClip, ...],
    seed: int,
    steps: int,
    open_vae: Callable[[], torch.nn.Module],
) -> Path:
    """The folder of the trained models; what is there already is not trained again.

    Args:
        open_vae: makes a trained VAE.
    """
    models, run, start = output / "models", output / "run", output / "start"
    if (models / "unet.safetensors").exists():
        return models
    networks = make_networks(WIDTHS, open_vae(), seed)
    if not start.exists():
        write_svd(start / "svd", WIDTHS, networks, MADE_BY)
        save_half(start / "svd" / "unet" / WEIGHTS, networks.unet.state_dict(), MADE_BY)
    training = training_of(steps, seed)
    learn(make_task(networks, clips, seed), run, training, progress=_say)
    record_run(run, start / "svd", training, len(clips))
    write_svd(models / "svd", WIDTHS, networks, MADE_BY)
    export_run(run, models, whole=True)
    return models


def trained_vae(output: Path, clips: tuple[DrawnClip, ...], seed: int) -> torch.nn.Module:
    """The VAE of a run; if the run has none yet, it is trained."""
    path = output / "vae.pt"
    vae = make_vae(WIDTHS, seed)
    if path.exists():
        vae.load_state_dict(torch.load(path, weights_only=True))
        return vae
    moments, others = draw_moments(seed), draw_pictures(seed)

    def draw(chance: torch.Generator) -> torch.Tensor:
        half = VAE.batch // 2
        parts = ((moments, half), (others, VAE.batch - half))
        return torch.cat([draw_crops(some, count, VAE.crop, chance) for some, count in parts])

    train_vae(vae, draw, VAE, seed=seed, progress=_say)
    scale_latents(vae, np.stack(moments))
    frames = [frame for clip in clips for frame in clip.frames]

    def draw_known(chance: torch.Generator) -> torch.Tensor:
        return draw_crops(frames + moments, DECODER.batch, DECODER.crop, chance)

    train_decoder(vae, draw_known, DECODER, seed=seed, progress=_say)
    output.mkdir(parents=True, exist_ok=True)
    torch.save(vae.state_dict(), path)
    return vae


def paint(
    models: Path, clips: tuple[DrawnClip, ...], seed: int
) -> tuple[list[dict[str, np.ndarray]], dict[str, float]]:
    """Each clip, painted in Python by the export, and the export's losses.

    Returns:
        For each clip frames [T, H, W, 3]: painted with its "own" control frames, those of the
        "other" clip and "black" ones, and what the "vae" makes of the true frames; and `losses`.
    """
    pipeline = open_pipeline(models)
    found = []
    for clip, other in zip(clips, reversed(clips), strict=True):
        controls = {
            "own": clip.control,
            "other": other.control,
            "black": np.zeros_like(clip.control),
        }
        results = {name: paint_clip(pipeline, clip, each) for name, each in controls.items()}
        found.append({**results, "vae": through_vae(pipeline, clip.frames)})
    return found, losses(make_task(pipeline.models, clips, seed))


def paint_faces(
    models: Path, clip: ClipFiles, output: Path, comfyui: Path | None
) -> dict[str, np.ndarray]:
    """Frames of a clip from the command line, and from ComfyUI if its folder is named."""
    with tempfile.TemporaryDirectory(dir=output) as folder:
        found = {"command line": paint_by_command(models, clip, Path(folder) / "painted")}
    if comfyui:
        found["ComfyUI"] = paint_in_comfyui(comfyui, models, clip)
    return found


def _say(stage: str, done: int, total: int) -> None:
    if done % 20 == 0:
        print(f"{stage}: {done} of {total} steps", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="see the head of this file")
    parser.add_argument("output", type=Path, nargs="?", default=Path("learn"))
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--seed", type=int, default=SEED)
    named = os.environ.get("COMFYUI_PATH")
    parser.add_argument("--comfyui", type=Path, default=named and Path(named))
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
