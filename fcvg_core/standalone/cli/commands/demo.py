"""`demo`: the program on two frames of its own, in under a minute."""

import argparse
import os
from pathlib import Path

from ....catalogue.comfyui import FCVG_MODELS
from ...spec import PreviewVideo
from ...spec.values import PATH
from .inbetween import run as run_inbetween
from .preview import run as run_preview
from .samples import write_samples

HELP = "try the program: two frames in, the frames between them out"
DESCRIPTION = (
    "Draw two sample frames, and make the frames between them. Without weights this is a preview "
    "of the motion, beside it the control frames, and strip.png, a picture of both. In a checkout "
    "a tiny model, which knows two drawn clips and nothing else, then paints the frames of one of "
    f"them. If {FCVG_MODELS} names a folder of models, the models paint a small video instead."
)
EXAMPLES = ("demo", "demo other_folder")
FOLDER = Path("demo")
SIZE = PreviewVideo().size  # of the sample frames
PREVIEWED = ("--timing", "ease-in-out")
PAINTED = ("--width", "448", "--height", "256", "--frames", "13", "--steps", "4")
# Of a checkout: what benchmarks/learn.py has trained on two drawn clips, and the clips' keyframes.
TWO_CLIPS = Path(__file__).parents[4] / "tests" / "two_clips"
CLIP = "right"  # of which the tiny model paints the frames
CLIP_PAINTED = (
    *("--width", "128", "--height", "128", "--frames", "5", "--steps", "12"),
    *("--guidance_scale", "1", "--timing", "uniform", "--no-poses"),
)
CLIP_SAID = (
    "The second video was painted by a tiny model that knows two drawn clips and nothing else: "
    "its keyframes are those of one of the clips. It shows that the whole way paints."
)
ADVICE = (
    "The preview moves the pixels of both frames. Trained weights paint every frame anew, also "
    "what neither frame shows: python -m fcvg_core models --get --mode inbetween"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "folder",
        nargs="?",
        type=PATH,
        default=FOLDER,
        metavar="FOLDER",
        help=f"folder for the sample frames and the result ({FOLDER})",
    )


def run(options: argparse.Namespace) -> None:
    """Write the sample frames, then the preview and its strip, or the painted video."""
    from ..options import parse_options  # it imports this module

    frames = write_samples(options.folder / "frames", SIZE)
    print(f"keyframes:  {', '.join(map(str, frames))}")
    files = (f"--output={options.folder / 'result'}", "--", *map(str, frames))
    if os.environ.get(FCVG_MODELS):
        run_inbetween(parse_options(["inbetween", *PAINTED, *files]))
        return
    folder = run_preview(parse_options(["preview", *PREVIEWED, *files]))
    print(f"strip:      {_write_strip(folder)}")
    if TWO_CLIPS.is_dir():
        _paint_clip(options.folder / "two_clips")
    print(ADVICE)


def _paint_clip(output: Path) -> None:
    """The video of a clip that the tiny model knows, and its strip."""
    from ..options import parse_options  # it imports this module

    models = {
        "model": "svd",
        "unet": "unet.safetensors",
        "controlnext": "controlnext.safetensors",
        "matches": f"{CLIP}.json",
    }
    files = (f"--{name}={TWO_CLIPS / file}" for name, file in models.items())
    ends = (str(TWO_CLIPS / f"{CLIP}_{end}.png") for end in ("first", "last"))
    words = ["inbetween", *CLIP_PAINTED, *files, f"--output={output}", "--", *ends]
    folder = run_inbetween(parse_options(words))
    print(f"strip:      {_write_strip(folder)}")
    print(CLIP_SAID)


def _write_strip(folder: Path) -> Path:
    """The strip of a result's folder, written into this folder."""
    import numpy as np

    from ...demo.strip import draw_strip
    from ...media.video import read_image_folder
    from ...media.writing import write_picture

    control, frames = (
        np.stack([*read_image_folder(folder / name, max_frames=None)])
        for name in ("condition", "frames")
    )
    write_picture(folder / "strip.png", draw_strip(control, frames))
    return folder / "strip.png"
