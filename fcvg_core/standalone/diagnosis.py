"""What may keep the program from working on a machine, found one by one."""

import platform
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from .catalogue import CATALOGUE, MODES, missing
from .comfyui import OLDEST, comfyui_version, find_comfyui, model_roots
from .integrity import find_damage

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


@dataclass(frozen=True)
class Device:
    """What torch runs on.

    Attributes:
        kind: "cuda" (ROCm too), "mps" or "cpu".
        card: its name; on the CPU, of the card that torch does not see.
        free: memory in GB; 0 where it is not known.
        build: what this torch was built for.
        dtype: in which the frames are painted.
    """

    kind: str
    card: str
    free: float
    build: str
    dtype: str


def diagnose() -> list[Finding]:
    """Everything that can be looked at without loading a model."""
    installed = installed_packages()
    comfyui = find_comfyui()
    findings = [check_python(sys.version_info[:3]), check_torch(installed)]
    if "torch" in installed:
        findings.append(check_device(_describe_device()))
    findings += [
        check_onnxruntime(installed, _providers()),
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


def check_device(device: Device) -> Finding:
    """What the frames are painted on, and how."""
    how = f"frames in {device.dtype}"
    if device.kind == "cpu" and device.card:
        return Finding(PROBLEM, f"there is an NVIDIA card that this torch ({device.build}) can't "
                                "use: install torch for CUDA from pytorch.org, or a newer "
                                "driver")  # fmt: skip
    if device.kind == "cpu":
        return Finding(WARNING, f"no GPU that torch ({device.build}) can use: {how} on the CPU, "
                                "which takes hours; conditions take seconds")  # fmt: skip
    if device.kind == "mps":
        return Finding(OK, f"{device.card} ({device.build}), {how}")
    text = f"{device.card} ({device.build}), {device.free:.1f} GB free, {how}"
    if device.free < 2 * WEIGHTS:
        return Finding(WARNING, f"{text}; the networks alone take {WEIGHTS} GB: take --offload, "
                                "and a smaller --window or size where memory runs out")  # fmt: skip
    return Finding(OK, f"{text}; --offload is not needed")


def check_onnxruntime(installed: Mapping[str, str], providers: Sequence[str] = ()) -> Finding:
    """One of its packages, which finds people, and what that can run on."""
    found = [name for name in ONNXRUNTIME if name in installed]
    if not found:
        return Finding(WARNING, "onnxruntime is not installed, so nobody is found: install "
                                "onnxruntime-gpu, or onnxruntime for no NVIDIA card")  # fmt: skip
    if len(found) > 1:
        return Finding(WARNING, f"{' and '.join(found)} share a folder and break each other: "
                                "uninstall all of them, then install one")  # fmt: skip
    names = [name.removesuffix("ExecutionProvider") for name in providers]
    where = f", built for {', '.join(names)}" if names else ""
    return Finding(OK, f"{found[0]} {installed[found[0]]}{where}")


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
    if version is None:
        return Finding(OK, f"ComfyUI's models and node packs at {folder}; its code, so its "
                           "version, is elsewhere")  # fmt: skip
    if _numbers(version) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return Finding(PROBLEM, f"ComfyUI {version or '(unknown)'} at {folder} is too old: "
                                f"{oldest} or newer is needed")  # fmt: skip
    return Finding(OK, f"ComfyUI {version} at {folder}")


def check_models(mode: str, roots: list[tuple[str, Path]]) -> Finding:
    """The files that a mode can't do without."""
    names = [file.name for file in missing(mode, roots)]
    remedy = f"To download what is missing: python -m fcvg_core models --get --mode {mode}"
    if names:
        return Finding(WARNING, f"{mode}: missing are {'; '.join(names)}. {remedy}")
    for file in CATALOGUE:
        found = file.find(roots) if mode in file.needed + file.helps else None
        damage = find_damage(found) if found else None
        if damage:
            return Finding(PROBLEM, f"{mode}: {damage} is damaged, cut off or empty: move it away. "
                                    f"{remedy}")  # fmt: skip
    return Finding(OK, f"{mode}: all models are there")


def _describe_device() -> Device:
    import torch

    from .machine import choose_device, choose_dtype

    device = choose_device("auto")
    dtype = str(choose_dtype("auto", device)).removeprefix("torch.")
    build = "for the CPU alone"
    if torch.version.cuda:
        build = f"CUDA {torch.version.cuda}"
    if torch.version.hip:
        build = f"ROCm {torch.version.hip}"
    if device.type == "cuda":
        free = torch.cuda.mem_get_info()[0] / 2**30
        return Device("cuda", torch.cuda.get_device_name(), free, build, dtype)
    if device.type == "mps":
        return Device("mps", "Apple's GPU", 0.0, "MPS", dtype)
    return Device("cpu", "NVIDIA" if shutil.which("nvidia-smi") else "", 0.0, build, dtype)


def _providers() -> list[str]:
    try:
        import onnxruntime
    except ImportError:  # not there, or broken: its packages tell
        return []
    return onnxruntime.get_available_providers()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))
