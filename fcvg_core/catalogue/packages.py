"""What is installed, how new it has to be, and how to install it into this very Python."""

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
# Packages of which one is enough.
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
    """Version by normalised name, of all packages of this Python."""
    found = {}
    for package in metadata.distributions():
        try:
            name, version = package.metadata["Name"], package.version
        except (OSError, ValueError, KeyError, TypeError):  # one that is damaged
            continue
        if name and version:
            found[re.sub(r"[-_.]+", "-", name).lower()] = version
    return found


def version_numbers(version: str) -> tuple[int, ...]:
    """As 0.3.64: (0, 3, 64); of a pre-release those of the release that it comes before."""
    release = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, release[0].split(".")[:3])) if release else ()


def version_text(version: tuple[int, ...]) -> str:
    """As (0, 3, 64): 0.3.64."""
    return ".".join(map(str, version))


def pip(*words: str) -> str:
    """pip of this Python, as it is typed: a bare `pip` may be another one's."""
    return shell_words(sys.executable, "-m", "pip", *words)
