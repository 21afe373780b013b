"""What may keep the program from working on a machine, found one by one."""

import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from .catalogue import MODES, missing
from .comfyui import OLDEST, comfyui_version, find_comfyui, model_roots

OK, WARNING, PROBLEM = "OK", "warning", "problem"
OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python",
          "opencv-contrib-python-headless")  # fmt: skip
ONNXRUNTIME = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml")
OLDEST_DIFFUSERS = (0, 28)
WEIGHTS = 5  # GB that all networks of a mode take together in half precision


@dataclass(frozen=True)
class Finding:
    """One line of the report: how bad, what was found, and the remedy where one is needed."""

    level: str
    text: str


def diagnose() -> list[Finding]:
    """Everything that can be looked at without loading a model."""
    installed = installed_packages()
    comfyui = find_comfyui()
    findings = [check_python(sys.version_info[:3]), check_torch(installed)]
    if "torch" in installed:
        findings.append(check_device(*_describe_device()))
    findings += [
        check_onnxruntime(installed),
        check_opencv(installed),
        check_diffusers(installed),
        check_comfyui(comfyui),
    ]
    roots = model_roots(comfyui)
    return [*findings, *(check_models(mode, roots) for mode in MODES)]


def installed_packages() -> dict[str, str]:
    """Version by name, of all packages of this Python."""
    return {
        str(found.metadata["Name"]).lower(): found.version
        for found in metadata.distributions()
        if found.metadata["Name"]
    }


def check_python(version: tuple[int, int, int]) -> Finding:
    """3.10 or newer."""
    text = f"Python {'.'.join(map(str, version))} on {platform.system()} {platform.machine()}"
    if version < (3, 10):
        return Finding(PROBLEM, f"{text}; 3.10 or newer is needed")
    return Finding(OK, text)


def check_torch(installed: Mapping[str, str]) -> Finding:
    """torch, and the two packages of its release train."""
    if "torch" not in installed:
        return Finding(PROBLEM, "torch is not installed: take it from pytorch.org, or use "
                                "ComfyUI's Python")  # fmt: skip
    train = {
        name: ".".join(installed[name].split("+")[0].split(".")[:2])
        for name in ("torch", "torchaudio")
        if name in installed
    }
    text = ", ".join(f"{name} {installed[name]}" for name in train)
    if len(set(train.values())) > 1:
        return Finding(WARNING, f"{text} are of different releases, which breaks transformers: "
                                "install both in one version")  # fmt: skip
    return Finding(OK, text)


def check_device(kind: str, name: str, free: float) -> Finding:
    """What the frames are painted on.

    Args:
        kind: "cuda" (ROCm too), "mps" or "cpu".
        name: of the card.
        free: its free memory in GB; 0 where it is not known.
    """
    if kind == "cpu":
        return Finding(WARNING, "no GPU that torch can use: frames are painted on the CPU, which "
                                "takes hours; conditions take seconds")  # fmt: skip
    if kind == "mps":
        return Finding(OK, f"{name}, in float16")
    text = f"{name}, {free:.1f} GB free, in half precision"
    if free < 2 * WEIGHTS:
        return Finding(WARNING, f"{text}; the networks alone take {WEIGHTS} GB: take --offload, "
                                "and a smaller --window or size where memory runs out")  # fmt: skip
    return Finding(OK, text)


def check_onnxruntime(installed: Mapping[str, str]) -> Finding:
    """One of its packages, which finds people."""
    found = [name for name in ONNXRUNTIME if name in installed]
    if not found:
        return Finding(WARNING, "onnxruntime is not installed, so nobody is found: install "
                                "onnxruntime-gpu, or onnxruntime for no NVIDIA card")  # fmt: skip
    if len(found) > 1:
        return Finding(WARNING, f"{' and '.join(found)} share a folder and break each other: "
                                "uninstall all of them, then install one")  # fmt: skip
    return Finding(OK, f"{found[0]} {installed[found[0]]}")


def check_opencv(installed: Mapping[str, str]) -> Finding:
    """Exactly one of its packages, or several of one version."""
    found = [name for name in OPENCV if name in installed]
    if not found:
        return Finding(PROBLEM, "OpenCV is not installed: pip install opencv-python")
    text = ", ".join(f"{name} {installed[name]}" for name in found)
    if len({installed[name] for name in found}) > 1:
        return Finding(WARNING, f"{text} share a folder in different versions: uninstall all of "
                                "them, then install one")  # fmt: skip
    return Finding(OK, text)


def check_diffusers(installed: Mapping[str, str]) -> Finding:
    """0.28 or newer; the command line alone needs it."""
    if "diffusers" not in installed:
        return Finding(WARNING, "diffusers is not installed: ComfyUI does without, the command "
                                'line needs pip install -e ".[standalone]"')  # fmt: skip
    version = installed["diffusers"]
    if _numbers(version) < OLDEST_DIFFUSERS:
        return Finding(PROBLEM, f"diffusers {version} computes the temporal attention wrongly: "
                                "0.28 or newer is needed")  # fmt: skip
    return Finding(OK, f"diffusers {version}")


def check_comfyui(folder: Path | None) -> Finding:
    """0.3.64 or newer, where there is one."""
    if folder is None:
        return Finding(OK, "no ComfyUI around this folder or in COMFYUI_PATH; the command line "
                           "needs none")  # fmt: skip
    version = comfyui_version(folder)
    if _numbers(version) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return Finding(PROBLEM, f"ComfyUI {version or '(unknown)'} at {folder} is too old: "
                                f"{oldest} or newer is needed")  # fmt: skip
    return Finding(OK, f"ComfyUI {version} at {folder}")


def check_models(mode: str, roots: list[tuple[str, Path]]) -> Finding:
    """The files that a mode can't do without."""
    names = [file.name for file in missing(mode, roots)]
    if names:
        return Finding(WARNING, f"{mode}: missing are {'; '.join(names)}. To see where each goes: "
                                "python -m fcvg_core models")  # fmt: skip
    return Finding(OK, f"{mode}: all models are there")


def _describe_device() -> tuple[str, str, float]:
    import torch

    if torch.cuda.is_available():
        return "cuda", torch.cuda.get_device_name(), torch.cuda.mem_get_info()[0] / 2**30
    if torch.backends.mps.is_available():
        return "mps", "Apple's GPU", 0.0
    return "cpu", "", 0.0


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))
