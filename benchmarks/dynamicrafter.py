"""Time and memory of DynamiCrafter, without ComfyUI and in ComfyUI.

    python benchmarks/dynamicrafter.py COMFYUI [--variants 256 512 1024 512_interp] [--size H W]
    python benchmarks/dynamicrafter.py COMFYUI --full [--folder DIR] [--dtype bf16] [--only FACE]

COMFYUI is the folder of a ComfyUI; without ComfyUI, its tokenizer is used, too. Each face paints a
clip of 16 frames in its own process (dynamicrafter_faces.py), with the same checkpoint, pictures,
prompt and noise. For each variant and size these figures of both faces are printed: seconds of a
step (without the first step, which takes memory), of loading and of decoding; the peak of memory
beyond the imports (without pages of mapped files, and with these pages; on a card both are
PyTorch's peak); how far apart frames are that are decoded one by one and four at once. The last
line compares both faces, and says how far apart their frames are.

The checkpoints are tiny and have the official layout. --full paints two steps at 256 x 256 and at
320 x 512 with a checkpoint of the official size with random values. The checkpoint (10.4 GB) is
made first, with as much memory; it is kept in DIR for the next run. Nothing is asserted.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
FACES = ("standalone", "native")
VARIANTS = ("256", "512", "1024", "512_interp")
TINY_STEPS, TINY_SIZE = 4, (128, 192)  # (height, width)
FULL_STEPS, FULL_SIZES, FULL_VARIANT = 2, ((256, 256), (320, 512)), "512"
GB = 2**30


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("comfyui", type=Path)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS)
    parser.add_argument("--size", type=int, nargs=2, metavar=("H", "W"))
    parser.add_argument("--steps", type=int)
    parser.add_argument("--dtype", choices=("fp32", "bf16", "fp16"), default="fp32")
    parser.add_argument("--only", choices=FACES)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--folder", type=Path, metavar="DIR")
    parser.add_argument("--make", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        make(options.folder, options.make, full=options.full)
        return
    os.environ["COMFYUI_PATH"] = str(options.comfyui.expanduser())
    with tempfile.TemporaryDirectory() as folder:
        compare_all(options, options.folder or Path(folder))


def compare_all(options: argparse.Namespace, folder: Path) -> None:
    """Print the figures of each variant and size."""
    sizes = FULL_SIZES if options.full else (TINY_SIZE,)
    for variant in options.variants or ([FULL_VARIANT] if options.full else VARIANTS):
        checkpoint = folder / f"dynamicrafter_{variant}_v1" / "model.ckpt"
        if not checkpoint.exists():
            # In a process of its own, so that the memory is free when a face paints.
            kind = ["--full"] if options.full else []
            run(__file__, ".", "--make", variant, "--folder", str(folder), *kind)
        for size in [options.size] if options.size else sizes:
            settings = {
                "checkpoint": str(checkpoint),
                "variant": variant,
                "size": size,
                "steps": options.steps or (FULL_STEPS if options.full else TINY_STEPS),
                "dtype": options.dtype,
            }
            compare([options.only] if options.only else FACES, options.comfyui, settings)


def compare(faces: tuple[str, ...], comfyui: Path, settings: dict) -> None:
    """Let faces paint the same clip, and print their figures."""
    height, width = settings["size"]
    print(f"{settings['variant']}, {width} x {height}, {settings['dtype']}", flush=True)
    found, frames = [], []
    with tempfile.TemporaryDirectory() as folder:
        for face in faces:
            out = Path(folder) / f"{face}.npy"
            words = json.dumps({**settings, "face": face, "out": str(out)})
            script = Path(__file__).with_name("dynamicrafter_faces.py")
            printed = run(str(script), str(comfyui), words)
            figures = json.loads(printed.splitlines()[-1])  # libraries may print, too
            found.append(figures)
            frames.append(np.load(out).astype(int))
            print(describe(face, figures), flush=True)
    if len(found) == 2:
        step, memory = (found[1][key] / found[0][key] for key in ("step", "whole"))
        apart = abs(frames[1] - frames[0]).max()
        print(
            f"  {faces[1]} / {faces[0]}: step {step:.2f}, memory {memory:.2f}, frames at most "
            f"{apart} of 255 apart",
            flush=True,
        )


def describe(face: str, figures: dict[str, float]) -> str:
    """The line of one face."""
    own, whole, file = (figures[key] / GB for key in ("own", "whole", "file"))
    return (
        f"  {face:<10} step {figures['step']:7.2f} s, loading {figures['loading']:6.2f} s, "
        f"decoding {figures['decoding']:6.2f} s, memory {own:5.2f} GB ({whole:.2f} GB = "
        f"{whole / file:.2f} x file), chunks {figures['chunks']:.2g} of 255 apart"
    )


def run(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def make(folder: Path, variant: str, *, full: bool) -> None:
    """Write a checkpoint in the official layout, tiny or of the official size."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    if not full:
        from dynamicrafter_stand_ins import write_dynamicrafter

        write_dynamicrafter(folder, variant)
        return
    import torch
    from dynamicrafter_stand_ins import MANIFEST, SCALES
    from gpu_weights import draw_values

    name = f"dynamicrafter_{variant}_v1/model.ckpt"
    manifest = json.loads(MANIFEST.read_text("utf-8"))
    (shapes,) = (keys for names, keys in manifest.items() if name in names)
    weights = draw_values(shapes, torch.float32, seed=1, device="cpu")
    if "scale_arr" in weights:
        falling = torch.linspace(1, SCALES[variant], 400)
        weights["scale_arr"] = torch.cat([falling, torch.full((1000,), SCALES[variant])])
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    torch.save({"state_dict": weights}, folder / name)


if __name__ == "__main__":
    main()
