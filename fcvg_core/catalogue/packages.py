"""Installed packages, the oldest versions that work, and pip commands for this Python."""

import re
import sys
from importlib import metadata

from ..shell import shell_words

# Lower bounds as in pyproject.toml; diffusers before 0.28 computes the temporal attention wrongly.
TORCH, OPENCV = (2, 4), (4, 7)
NODES = {"numpy": (1, 25), "scipy": (), "einops": (), "safetensors": (0, 4, 2), "pillow": ()}
COMMAND_LINE = {
    "diffusers": (0, 28), "transformers": (4, 37), "accelerate": (0, 26), "av": (14, 2),
    "tqdm": (), "huggingface-hub": (0, 34), "filelock": (), "gdown": (6, 5),
}  # fmt: skip
# Alternative packages; one of them is enough.
OPENCVS = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
ONNXRUNTIME = (
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-directml",
    "onnxruntime-rocm",
    "onnxruntime-migraphx",
    "onnxruntime-openvino",
    "ort-nightly",
    "ort-nightly-gpu",
)


def installed_packages() -> dict[str, str]:
    """Normalised name -> version, for all packages of this Python."""
    found = {}
    for package in metadata.distributions():
        try:
            name, version = package.metadata["Name"], package.version
        except (OSError, ValueError, KeyError, TypeError):  # a damaged installation
            continue
        if name and version:
            found[re.sub(r"[-_.]+", "-", name).lower()] = version
    return found


def version_numbers(version: str) -> tuple[int, ...]:
    """Numbers of a version: "0.3.64" -> (0, 3, 64). "0.4rc1" gives the numbers of 0.4."""
    release = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, release[0].split(".")[:3])) if release else ()


def version_text(version: tuple[int, ...]) -> str:
    """Text of a version: (0, 3, 64) -> "0.3.64"."""
    return ".".join(map(str, version))


def pip(*words: str) -> str:
    """A pip command for this Python, as typed; a plain `pip` may belong to another Python."""
    return shell_words(sys.executable, "-m", "pip", *words)
