"""The benchmark's command line."""

import argparse
import importlib.util
import os
from pathlib import Path

from gpu_weights import ROOT


def read_options(description: str) -> argparse.Namespace:
    """The command line; paths are absolute and the host is there."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("host", type=Path, help="folder of a ComfyUI 0.33")
    parser.add_argument("--seconds", type=float, default=290, help="for all parts together")
    parser.add_argument("--out", type=Path, help="for results; $OUT if set, else the work folder")
    parser.add_argument("--work", type=Path, default=ROOT / ".gpu", help="for models and pictures")
    parser.add_argument("--site", type=Path, help="packages that this Python lacks")
    parser.add_argument("--front", type=Path, help="folder with the editor's index.html")
    parser.add_argument("--only", metavar="TEXT", help="parts whose names hold it")
    parser.add_argument(
        "--unet-format",
        default="bfloat16",
        help="of FCVG's UNet file",
        choices=("bfloat16", "float16", "float32"),
    )
    parser.add_argument("--tiny", action="store_true", help="tiny models on the CPU")
    options = parser.parse_args()
    options.out = options.out or Path(os.environ.get("OUT") or options.work)
    for name in ("host", "out", "work", "site", "front"):
        if (path := getattr(options, name)) is not None:
            setattr(options, name, path.expanduser().resolve())
    if not (options.host / "main.py").is_file():
        parser.error(f"{options.host} is no ComfyUI: it holds no main.py.")
    return options


def has_card() -> bool:
    """Whether torch is there and sees an NVIDIA card."""
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()
