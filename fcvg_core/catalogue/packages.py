"""Needed and installed versions of packages, and the command to install into this Python."""

import re
import sys
from importlib import metadata

from ..shell import shell_words

OLDEST_COMFYUI = (0, 3, 64)  # as in pyproject.toml, and in __init__.py, which can't import this
# Lower bounds as in pyproject.toml; diffusers before 0.28 computes the temporal attention wrongly.
TORCH, OPENCV = (2, 4), (4, 7)
NODES = {"numpy": (1, 25), "scipy": (), "einops": (), "safetensors": (0, 4, 2), "pillow": ()}
COMMAND_LINE = {
    "diffusers": (0, 28), "transformers": (4, 37), "accelerate": (0, 26), "av": (14, 2),
    "tqdm": (), "huggingface-hub": (0, 34), "filelock": (), "gdown": (6, 5),
    "sentencepiece": (),
}  # fmt: skip
OPENCV_HEADLESS = "opencv-python-headless"  # without windows; it needs no libGL
# Alternative packages; one of them is enough.
OPENCVS = (
    "opencv-python",  # as in pyproject.toml
    OPENCV_HEADLESS,
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
    """Versions of all packages of this Python, by normalised name."""
    versions = {}
    for package in metadata.distributions():
        try:
            name, version = package.metadata["Name"], package.version
        except (OSError, ValueError, KeyError, TypeError):  # a damaged package
            continue
        if name and version:
            versions[re.sub(r"[-_.]+", "-", name).lower()] = version
    return versions


def parse_version(version: str) -> tuple[int, ...]:
    """ "0.3.64" -> (0, 3, 64); a pre-release counts as the release that it precedes."""
    release = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, release[0].split(".")[:3])) if release else ()


def version_text(version: tuple[int, ...]) -> str:
    """(0, 3, 64) -> "0.3.64"."""
    return ".".join(map(str, version))


def pip(*words: str) -> str:
    """A pip command for this Python, as typed in a terminal; `pip` may belong to another Python."""
    return shell_words(sys.executable, "-m", "pip", *words)
