"""Where the model files are: files that are named, else files of known folders.

Nothing is downloaded here. `roots` is always what `known_folders` gives; a run asks for it once.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..files.plain_file import check_file
from .comfyui import FCVG_MODELS
from .dwpose import DWPOSE_FILES
from .families import find_model
from .model_files import MODEL_INDEX

Roots = list[tuple[str, Path]]


@dataclass(frozen=True)
class ModelSet:
    """The models that go together with SVD: the catalogue's keys of their files."""

    name: str
    unet: str
    controlnext: str


FCVG = ModelSet("FCVG", "fcvg-unet", "fcvg-controlnext")
CONTROLNEXT_SVD = ModelSet("ControlNeXt-SVD", "controlnext-svd-unet", "controlnext-svd-controlnext")


@dataclass(frozen=True)
class ModelFiles:
    """Files and folders that exist."""

    svd: Path
    unet: Path
    controlnext: Path


def find_models(
    svd: Path | None,
    unet: Path | None,
    controlnext: Path | None,
    *,
    model_set: ModelSet,
    roots: Roots,
) -> ModelFiles:
    """The files that are named; the first files of the known folders for all others.

    Args:
        svd: folder in diffusers' layout.

    Raises:
        UserError: a file or the folder is neither named nor found, or it is no file or folder.
    """
    unet = unet or find_model(model_set.unet, roots)
    controlnext = controlnext or find_model(model_set.controlnext, roots)
    found = svd or find_svd(roots)
    missing = [
        option
        for option, value in (("--model", found), ("--unet", unet), ("--controlnext", controlnext))
        if value is None
    ]
    if missing:
        raise UserError(
            f"Models of {model_set.name} are missing: name them with {', '.join(missing)}, or put "
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
    gluestick: Path | None, superpoint: Path | None, roots: Roots
) -> tuple[Path | None, Path | None]:
    """GlueStick's two files: each the file that is named, else the first of the known folders."""
    return (
        gluestick or find_model("gluestick", roots),
        superpoint or find_model("superpoint", roots),
    )


def find_dwpose(boxes: Path | None, points: Path | None, roots: Roots) -> tuple[Path, Path] | None:
    """DWPose's two files: each the file that is named, else the first of the known folders.

    Returns:
        None unless both files are there.

    Raises:
        UserError: one file is named, and the other file is neither named nor found.
    """
    found = boxes or find_model("yolox", roots), points or find_model("dwpose", roots)
    if None not in found:
        return found
    if boxes or points:
        raise UserError(
            "DWPose needs two files: name them with --dwpose-det and --dwpose-pose, or put "
            f"{' and '.join(DWPOSE_FILES)} where python -m fcvg_core models says."
        )
    return None


def find_svd(roots: Roots) -> Path | None:
    """The first folder of SVD in diffusers' layout."""
    index = find_model("svd", roots)
    return index.parent if index else None


def _svd_folder(folder: Path) -> Path:
    """The folder, if it is there. A model's name on huggingface.co is no folder."""
    if not folder.is_dir():
        raise UserError(
            f"{folder} is no folder: give --model the folder of SVD in diffusers' layout (the one "
            f"with {MODEL_INDEX}). A run downloads nothing: python -m fcvg_core models --get does, "
            "and a run finds SVD there without --model."
        )
    return folder
