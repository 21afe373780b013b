"""Where the model files are: named by options, in known folders, or on huggingface.co."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..pose import DWPOSE_FILES
from .catalogue import MODEL_INDEX, SVD_PARTS, find_model
from .comfyui import FCVG_MODELS, known_folders

# What of SVD's repository is used; its UNet only where FCVG's file is not whole.
SVD_FILES = (MODEL_INDEX, "*/*.json")


@dataclass(frozen=True)
class Family:
    """The catalogue's keys of the files that are a family's own."""

    name: str
    unet: str
    controlnext: str


FCVG = Family("FCVG", "fcvg-unet", "fcvg-controlnext")
CONTROLNEXT_SVD = Family("ControlNeXt-SVD", "controlnext-svd-unet", "controlnext-svd-controlnext")


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
    family: Family,
    half: bool,
) -> ModelFiles:
    """The files that are named; the rest from FCVG_MODELS, else from ComfyUI's folders.

    Args:
        svd: folder in diffusers' layout, or a name on huggingface.co, which is downloaded.
        half: of a download, the half-precision files.

    Raises:
        UserError: one is neither named nor found.
    """
    roots = known_folders()
    unet = unet or find_model(family.unet, roots)
    controlnext = controlnext or find_model(family.controlnext, roots)
    found = svd or find_svd(roots)
    missing = [
        option
        for option, value in (("--model", found), ("--unet", unet), ("--controlnext", controlnext))
        if value is None
    ]
    if missing:
        raise UserError(
            f"Models of {family.name} are missing: name them with {', '.join(missing)}, or put "
            "them where python -m fcvg_core models says, which downloads them with --get. Looked "
            f"in: {', '.join(str(root) for _, root in roots) or 'no folder'} ({FCVG_MODELS} is "
            f"{os.environ.get(FCVG_MODELS) or 'not set'}). To try the program without any: python "
            "-m fcvg_core stand-ins DIR"
        )
    for path in (unet, controlnext):
        if not path.is_file():
            raise UserError(f"There is no model file {path}.")
    return ModelFiles(_svd_folder(str(found), unet, half), unet, controlnext)


def find_gluestick(
    gluestick: Path | None, superpoint: Path | None
) -> tuple[Path | None, Path | None]:
    """GlueStick's two files: those that are named, else those of the known folders."""
    roots = known_folders()
    return (
        gluestick or find_model("gluestick", roots),
        superpoint or find_model("superpoint", roots),
    )


def find_dwpose(boxes: Path | None, points: Path | None) -> tuple[Path, Path] | None:
    """DWPose's two files: those that are named, else those of known folders; None without both.

    Raises:
        UserError: one is named, and the other one neither named nor found.
    """
    roots = known_folders()
    found = boxes or find_model("yolox", roots), points or find_model("dwpose", roots)
    if None not in found:
        return found
    if boxes or points:
        raise UserError(
            "DWPose needs two files: name them with --dwpose-det and --dwpose-pose, or put "
            f"{' and '.join(DWPOSE_FILES)} where python -m fcvg_core models says."
        )
    return None


def find_svd(roots: list[tuple[str, Path]]) -> Path | None:
    """The first folder of SVD in diffusers' layout."""
    index = find_model("svd", roots)
    return index.parent if index else None


def _svd_folder(name: str, unet: Path, half: bool) -> Path:
    """The folder of that name, downloaded where there is none."""
    folder = Path(name)
    if folder.is_dir():
        return folder
    if folder.exists() or not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise UserError(
            f"{name} is no folder: give the folder of SVD in diffusers' layout (the one with "
            f"{MODEL_INDEX}), or its name on huggingface.co."
        )
    from .loading import is_whole

    weights = [_weights(part, half) for part in SVD_PARTS]
    folder = _from_hub(name, [*SVD_FILES, *weights])
    if not is_whole(folder, unet):
        _from_hub(name, [_weights("unet", half)])
    return folder


def _from_hub(name: str, patterns: list[str]) -> Path:
    """The local copy of a repository on huggingface.co, of the files that fit the patterns.

    Raises:
        UserError: it can't be reached, does not exist or needs a licence to be accepted.
    """
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=patterns))
    except (OSError, ValueError) as error:  # the hub's own errors derive from these
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise UserError(
            f"There is no folder {name}, and it can't be downloaded from huggingface.co under "
            f"that name ({type(error).__name__}: {reason}). Download it by hand and give --model "
            "its folder."
        ) from error


def _weights(part: str, half: bool) -> str:
    """Pattern of the weights of a part, in one precision."""
    stem = "model" if part == "image_encoder" else "diffusion_pytorch_model"
    return f"{part}/{stem}{'.fp16' if half else ''}.safetensors"
