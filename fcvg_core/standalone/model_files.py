"""Where the model files are: named by options, in FCVG_MODELS, or on huggingface.co."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..pose import DWPOSE_FILES
from .catalogue import CONTROLNEXT_NET, CONTROLNEXT_UNET, MODEL_INDEX, SVD_PARTS

VARIABLE = "FCVG_MODELS"
# The official file, or what `models --convert` makes of it.
GLUESTICK = ("checkpoint_GlueStick_MD.tar", "checkpoint_GlueStick_MD.safetensors")
SUPERPOINT = ("superpoint_v1.pth", "superpoint_v1.safetensors")
# What of SVD's repository is used; its UNet only where FCVG's file is not whole.
SVD_FILES = (MODEL_INDEX, "*/*.json")


@dataclass(frozen=True)
class FileNames:
    """What the files of a family are called in FCVG_MODELS, the preferred name first."""

    family: str
    unet: tuple[str, ...]
    controlnext: tuple[str, ...]


FCVG = FileNames("FCVG", ("unet.safetensors",), ("controlnext.safetensors",))
# Their authors' names are too general for a folder of many models: they have one of their own.
CONTROLNEXT_SVD = FileNames(
    "ControlNeXt-SVD",
    tuple(f"controlnext-svd/{name}" for name in
          (CONTROLNEXT_UNET, "unet.safetensors", "unet.bin", "unet_fp16.safetensors",
           "unet_fp16.bin")),
    tuple(f"controlnext-svd/{name}" for name in
          (CONTROLNEXT_NET, "controlnet.safetensors", "controlnet.bin")),
)  # fmt: skip


@dataclass(frozen=True)
class ModelFiles:
    """Files and folders that exist."""

    svd: Path
    unet: Path
    controlnext: Path


def find_models(
    svd: str | None,
    unet: Path | None,
    controlnext: Path | None,
    *,
    names: FileNames,
    half: bool,
) -> ModelFiles:
    """The files that are named, and those of the folder FCVG_MODELS for the rest.

    Args:
        svd: folder in diffusers' layout, or a name on huggingface.co, which is downloaded.
        names: what the two others may be called in that folder.
        half: of a download, the half-precision files.

    Raises:
        ValueError: one is neither named nor found.
    """
    folder = Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None
    unet = unet or _in_folder(folder, *names.unet)
    controlnext = controlnext or _in_folder(folder, *names.controlnext)
    found = svd or find_svd(folder)
    missing = [
        option
        for option, value in (("--model", found), ("--unet", unet), ("--controlnext", controlnext))
        if value is None
    ]
    if missing:
        raise ValueError(
            f"Models are missing: name them with {', '.join(missing)}, or let {VARIABLE} (it is "
            f"{str(folder) if folder else 'not set'}) be a folder that holds SVD in diffusers' "
            f"layout, {names.unet[0]} and {names.controlnext[0]} of {names.family}. Where each "
            "comes from: python -m fcvg_core models. To try the program without any: python -m "
            "fcvg_core stand-ins DIR"
        )
    for path in (unet, controlnext):
        if not path.is_file():
            raise ValueError(f"There is no model file {path}.")
    return ModelFiles(_svd_folder(str(found), unet, half), unet, controlnext)


def find_gluestick(
    gluestick: Path | None, superpoint: Path | None
) -> tuple[Path | None, Path | None]:
    """GlueStick's two files: those that are named, else those of the folder FCVG_MODELS."""
    folder = Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None
    return (
        gluestick or _in_folder(folder, *GLUESTICK),
        superpoint or _in_folder(folder, *SUPERPOINT),
    )


def find_dwpose(boxes: Path | None, points: Path | None) -> tuple[Path, Path] | None:
    """DWPose's two files: those that are named, else those of FCVG_MODELS; None without both.

    Raises:
        ValueError: one is named, and the other one neither named nor found.
    """
    folder = Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None
    found = tuple(
        named or _in_folder(folder, official)
        for named, official in zip((boxes, points), DWPOSE_FILES, strict=True)
    )
    if None not in found:
        return found
    if boxes or points:
        raise ValueError(
            "DWPose needs two files: name them with --dwpose-det and --dwpose-pose, or put "
            f"{' and '.join(DWPOSE_FILES)} into {VARIABLE}."
        )
    return None


def find_svd(folder: Path | None) -> Path | None:
    """A folder in diffusers' layout: the given one or the first in it."""
    if folder is None or not folder.is_dir():
        return None
    inside = sorted(path for path in folder.iterdir() if path.is_dir())
    return next((path for path in (folder, *inside) if (path / MODEL_INDEX).is_file()), None)


def _in_folder(folder: Path | None, *names: str) -> Path | None:
    """The first of some files that a folder holds."""
    paths = [folder / name for name in names] if folder else []
    return next((path for path in paths if path.is_file()), None)


def _svd_folder(name: str, unet: Path, half: bool) -> Path:
    """The folder of that name, downloaded where there is none."""
    folder = Path(name)
    if folder.is_dir():
        return folder
    if folder.exists() or not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise ValueError(
            f"{name} is no folder: give the folder of SVD in diffusers' layout (the one with "
            f"{MODEL_INDEX}), or its name on huggingface.co."
        )
    from .loading import is_whole

    weights = [_weights(part, half) for part in SVD_PARTS]
    folder = download(name, [*SVD_FILES, *weights])
    if not is_whole(folder, unet):
        download(name, [_weights("unet", half)])
    return folder


def download(name: str, patterns: list[str]) -> Path:
    """The local copy of a repository on huggingface.co, of the files that fit the patterns.

    Raises:
        ValueError: it can't be reached, does not exist or needs a licence to be accepted.
    """
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=patterns))
    except (OSError, ValueError) as error:  # the hub's own errors derive from these
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise ValueError(
            f"There is no folder {name}, and it can't be downloaded from huggingface.co under "
            f"that name ({type(error).__name__}: {reason}). Download it by hand and give --model "
            "its folder."
        ) from error


def _weights(part: str, half: bool) -> str:
    """Pattern of the weights of a part, in one precision."""
    stem = "model" if part == "image_encoder" else "diffusion_pytorch_model"
    return f"{part}/{stem}{'.fp16' if half else ''}.safetensors"
