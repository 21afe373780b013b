"""`export`: what a run of training has learned, as files for both faces."""

import argparse

from ....catalogue.model_files import CONTROLNEXT, UNET
from ....shell import shell_words
from ...spec.values import PATH

HELP = "write what a run of training has learned, as files for the command line and ComfyUI"
DESCRIPTION = (
    "Write unet.safetensors and controlnext.safetensors from the newest checkpoint of a run of "
    "train. unet.safetensors holds only the tensors that differ from SVD's own UNet, so it is "
    "small, and it goes over SVD: in ComfyUI, Load FCVG Model takes SVD as base_model; on the "
    "command line, the sub-folder unet of SVD's folder has to hold its weights (models --get "
    "--only svd-unet). A network that was not trained has no file."
)
EXAMPLES = (
    "export training",
    "export training/checkpoints/step-001500 -o my_model",
    "export training --whole --dtype fp32",
)
FOLDERS = {"unet": UNET, "controlnext": CONTROLNEXT}  # of ComfyUI, for each file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "training", type=PATH, metavar="RUN", help="the folder of the run, or of a checkpoint in it"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=PATH,
        metavar="FOLDER",
        help="where the files are written (RUN/export); no file is overwritten",
    )
    parser.add_argument(
        "--ema",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="the averages of the weights, which paint better than the last step's; without an "
        "average in the run, and with --no-ema, the weights of the last step",
    )
    parser.add_argument(
        "--whole",
        action="store_true",
        help="write the whole UNet, 3 GB in fp16, which needs no weights of SVD's UNet beneath it",
    )
    parser.add_argument(
        "--dtype",
        choices=("fp16", "fp32"),
        default="fp16",
        help="number format of the files; fp32 makes them twice as large (%(default)s)",
    )


def run(options: argparse.Namespace) -> None:
    """Write the files, and print how they are used."""
    from ....training.export import export_run
    from ..progress import Bars

    with Bars() as bars:
        written = export_run(
            options.training,
            options.output,
            ema=options.ema,
            whole=options.whole,
            half=options.dtype == "fp16",
            progress=bars,
        )
    for file in written:
        size = file.path.stat().st_size / 1e6
        kind = "whole network" if file.whole else "part, over SVD"
        print(f"{file.path}: {file.tensors} tensors, {size:.1f} MB ({kind})")
    words = [word for file in written for word in (f"--{file.path.stem}", str(file.path))]
    print(f"On the command line: {shell_words(*words)}")
    places = (f"{x.path.name} into models/{FOLDERS[x.path.stem]}" for x in written)
    print(f"In ComfyUI: {', '.join(places)}")
