"""Where the model files are: named by options, else in known folders. Nothing is downloaded."""

import os
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..files.plain_file import check_file
from .comfyui import FCVG_MODELS, known_folders
from .families import find_model
from .model_files import MODEL_INDEX

DWPOSE = ("yolox_l.onnx", "dw-ll_ucoco_384.onnx")  # the two files


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
    svd: Path | None, unet: Path | None, controlnext: Path | None, *, family: Family
) -> ModelFiles:
    """The files that are named; the rest from FCVG_MODELS, else from ComfyUI's folders.

    Args:
        svd: folder in diffusers' layout.

    Raises:
        UserError: a file or the folder is neither named nor found, or is none.
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
            "-m fcvg_core stand-ins DIR, then --model DIR/svd --unet DIR/unet.safetensors "
            "--controlnext DIR/controlnext.safetensors"
        )
    for path in (unet, controlnext):
        check_file(path, expected="a file of weights")
    return ModelFiles(_svd_folder(found), unet, controlnext)


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
            f"{' and '.join(DWPOSE)} where python -m fcvg_core models says."
        )
    return None


def find_svd(roots: list[tuple[str, Path]]) -> Path | None:
    """The first folder of SVD in diffusers' layout."""
    index = find_model("svd", roots)
    return index.parent if index else None


def _svd_folder(folder: Path) -> Path:
    """The folder, if it is there. A name on huggingface.co, as the reference takes, is none."""
    if not folder.is_dir():
        raise UserError(
            f"{folder} is no folder: give --model the folder of SVD in diffusers' layout (the one "
            f"with {MODEL_INDEX}). A run downloads nothing: python -m fcvg_core models --get does, "
            "and a run finds SVD there without --model."
        )
    return folder
