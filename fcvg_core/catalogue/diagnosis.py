"""Finds reasons why the program may not work on a machine, one by one."""

import importlib
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .comfyui import COMFYUI_PATH, FCVG_MODELS, find_comfyui, model_roots
from .families import list_modes
from .finding import OK, PROBLEM, WARNING, Finding
from .model_checks import check_comfyui, check_models, check_named_folder
from .packages import (
    COMMAND_LINE,
    NODES,
    ONNXRUNTIME,
    OPENCV,
    OPENCV_HEADLESS,
    OPENCVS,
    TORCH,
    installed_packages,
    parse_version,
    pip,
    version_text,
)

NETWORKS = 5  # GB for all networks of a mode together, in half precision


@dataclass(frozen=True)
class Device:
    """The device on which torch runs.

    Attributes:
        kind: "cuda" (also for ROCm), "mps" or "cpu".
        gpu: name of the GPU; on the CPU, name of a GPU that torch can't use, or empty.
        free: free memory in GB; 0 if it is unknown.
        build: platform for which torch was built, for example "CUDA 12.4".
        dtype: number format in which frames are generated.
    """

    kind: str
    gpu: str
    free: float
    build: str
    dtype: str


def diagnose(
    describe_device: Callable[[], Device], only_mode: str | None = None
) -> Iterator[Finding]:
    """All checks that need no loaded model.

    Args:
        describe_device: asks torch for its device; called only if torch works.
        only_mode: the mode whose models are checked; None: those of all modes.
    """
    installed = installed_packages()
    yield check_python(sys.version_info[:3])
    broken = import_failure("torch") if "torch" in installed else ""
    yield check_torch(installed, broken)
    if "torch" in installed and not broken:
        yield check_device(describe_device())
    broken = import_failure("onnxruntime")
    yield check_onnxruntime(installed, [] if broken else _providers(), broken)
    yield check_opencv(installed, import_failure("cv2"))
    yield check_packages(
        installed,
        NODES,
        PROBLEM,
        whose="the nodes",
        remedy=pip("install", "-r", "requirements.txt"),
        broken=import_failure("numpy", "scipy"),
    )
    yield check_packages(
        installed,
        COMMAND_LINE,
        WARNING,
        whose="the command line (not needed in ComfyUI)",
        remedy=pip("install", "-e", ".[standalone]"),
    )
    comfyui = find_comfyui()
    yield check_comfyui(comfyui, os.environ.get(COMFYUI_PATH, ""))
    if named := os.environ.get(FCVG_MODELS):
        yield check_named_folder(named)
    roots = model_roots(comfyui)
    for mode in [only_mode] if only_mode else list_modes():
        yield check_models(mode, roots)


def import_failure(*modules: str) -> str:
    """Reason, on one line, why a module can't be imported; empty if all can be imported."""
    for module in modules:
        try:
            importlib.import_module(module)
        # A missing shared library, or a wrong version of it, can raise any of these types.
        except (ImportError, OSError, RuntimeError, AttributeError, TypeError, ValueError) as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            return lines[0] if lines else type(error).__name__
    return ""


def check_python(version: tuple[int, int, int]) -> Finding:
    """Python has to be 3.10 or newer."""
    text = f"Python {'.'.join(map(str, version))} on {platform.system()} {platform.machine()}"
    if version < (3, 10):
        return Finding(PROBLEM, f"{text}; 3.10 or newer is needed")
    return Finding(OK, text)


def check_torch(installed: Mapping[str, str], broken: str = "") -> Finding:
    """torch has to be installed, work and be new enough; torchaudio must have the same release."""
    if "torch" not in installed:
        return Finding(
            PROBLEM, "torch is not installed: get it from pytorch.org, or use ComfyUI's Python"
        )
    if broken:
        return Finding(
            PROBLEM,
            f"torch {installed['torch']} does not work ({broken}): reinstall it from pytorch.org",
        )
    if parse_version(installed["torch"]) < TORCH:
        return Finding(
            PROBLEM,
            f"torch {installed['torch']} is too old: {version_text(TORCH)} or newer is needed",
        )
    releases = {
        name: ".".join(installed[name].split("+")[0].split(".")[:2])
        for name in ("torch", "torchaudio")
        if name in installed
    }
    text = ", ".join(f"{name} {installed[name]}" for name in releases)
    if len(set(releases.values())) > 1:
        return Finding(
            WARNING,
            f"{text} have different releases, which breaks transformers: "
            "install both in the same release",
        )
    return Finding(OK, text)


def check_device(device: Device) -> Finding:
    """The device has to be a GPU with enough memory; the CPU works, but is slow."""
    frames = f"frames in {device.dtype}"
    if device.kind == "cpu" and device.gpu:
        remedy = (
            "update its driver"
            if device.build.startswith("CUDA")
            else "install torch for CUDA from pytorch.org"
        )
        return Finding(PROBLEM, f"this torch ({device.build}) can't use the NVIDIA GPU: {remedy}")
    if device.kind == "cpu":
        return Finding(
            WARNING,
            f"no GPU that torch ({device.build}) can use: {frames} on the CPU "
            "take hours; control frames take seconds",
        )
    if device.kind == "mps":
        return Finding(OK, f"{device.gpu} ({device.build}), {frames}")
    text = f"{device.gpu} ({device.build}), {device.free:.1f} GB free, {frames}"
    if device.free < 2 * NETWORKS:
        return Finding(
            WARNING,
            f"{text}; the networks alone take {NETWORKS} GB: use --offload, "
            "and a smaller --window or size if memory runs out",
        )
    return Finding(OK, f"{text}; --offload is not needed")


def check_onnxruntime(
    installed: Mapping[str, str], providers: Sequence[str] = (), broken: str = ""
) -> Finding:
    """Exactly one package of onnxruntime has to be installed and work; it detects poses."""
    packages = [name for name in ONNXRUNTIME if name in installed]
    if not packages:
        return Finding(
            WARNING,
            "onnxruntime is not installed, so no poses are detected: install "
            "onnxruntime-gpu, or onnxruntime if there is no NVIDIA GPU",
        )
    if len(packages) > 1:
        return Finding(
            WARNING,
            f"{' and '.join(packages)} share a folder and break each other: "
            "uninstall all of them, then install one",
        )
    if broken or not providers:
        return Finding(
            WARNING,
            f"{packages[0]} {installed[packages[0]]} does not work "
            f"({broken or 'it is incomplete'}), so no poses are detected: uninstall "
            "it, then install it again",
        )
    names = [name.removesuffix("ExecutionProvider") for name in providers]
    return Finding(OK, f"{packages[0]} {installed[packages[0]]}, built for {', '.join(names)}")


def check_opencv(installed: Mapping[str, str], broken: str = "") -> Finding:
    """One package of OpenCV has to be installed and work; several must have the same version."""
    packages = [name for name in OPENCVS if name in installed]
    if not packages:
        return Finding(PROBLEM, f"OpenCV is not installed: {pip('install', OPENCVS[0])}")
    remedy = f"{pip('uninstall', '-y', *packages)}, then {pip('install', OPENCV_HEADLESS)}"
    text = ", ".join(f"{name} {installed[name]}" for name in packages)
    if len({installed[name] for name in packages}) > 1:
        return Finding(
            WARNING,
            f"{text} share a folder in different versions, so that one replaces files of the "
            f"other. Remedy: {remedy}",
        )
    if broken:
        return Finding(
            PROBLEM,
            f"{text} does not work ({broken}). {OPENCV_HEADLESS} needs no screen. Remedy: {remedy}",
        )
    if parse_version(installed[packages[0]]) < OPENCV:
        return Finding(PROBLEM, f"{text} is too old: {version_text(OPENCV)} or newer is needed")
    return Finding(OK, text)


def check_packages(
    installed: Mapping[str, str],
    wanted: Mapping[str, tuple[int, ...]],
    level: str,
    *,
    whose: str,
    remedy: str,
    broken: str = "",
) -> Finding:
    """Packages of `wanted` that are missing, too old or broken give a finding of this level."""
    wrong = [f"{name} is missing" for name in wanted if name not in installed]
    wrong += [
        f"{name} {installed[name]} is older than {version_text(oldest)}"
        for name, oldest in wanted.items()
        if name in installed and parse_version(installed[name]) < oldest
    ]
    if wrong or broken:
        faults = ", ".join(wrong) or f"a package does not work ({broken})"
        return Finding(level, f"for {whose}: {faults}. Remedy, in this folder: {remedy}")
    versions = ", ".join(f"{name} {installed[name]}" for name in wanted)
    return Finding(OK, f"for {whose}: {versions}")


def _providers() -> list[str]:
    import onnxruntime

    try:
        return onnxruntime.get_available_providers()
    except AttributeError:  # pip has left an empty folder
        return []
