"""The benchmark's command line."""

import argparse
import importlib.util
import os
from pathlib import Path

from gpu_weights import ROOT

SECONDS = 360


def read_options(description: str) -> argparse.Namespace:
    """Parse the command line; paths become absolute, and the host's folder is checked."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("host", type=Path, help="folder of a ComfyUI 0.33")
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help="time for all parts together"
    )
    parser.add_argument(
        "--out", type=Path, help="folder for results; default: $OUT, or the work folder"
    )
    parser.add_argument(
        "--work", type=Path, default=ROOT / ".gpu", help="folder for models and pictures"
    )
    parser.add_argument("--site", type=Path, help="folder with packages that this Python lacks")
    parser.add_argument("--front", type=Path, help="folder with the editor's index.html")
    parser.add_argument(
        "--only",
        metavar="TEXT",
        action="append",
        help="run only parts whose names contain TEXT, or one of several texts: --only A --only B",
    )
    parser.add_argument(
        "--unet-format",
        default="bfloat16",
        help="number format of FCVG's UNet file",
        choices=("bfloat16", "float16", "float32"),
    )
    parser.add_argument("--tiny", action="store_true", help="tiny models on the CPU")
    options = parser.parse_args()
    options.out = options.out or Path(os.environ.get("OUT") or options.work)
    for name in ("host", "out", "work", "site", "front"):
        if (path := getattr(options, name)) is not None:
            setattr(options, name, path.expanduser().resolve())
    if not (options.host / "main.py").is_file():
        parser.error(f"{options.host} is not a ComfyUI: it contains no main.py.")
    return options


def has_card() -> bool:
    """Whether torch is installed and can use an NVIDIA GPU."""
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()
