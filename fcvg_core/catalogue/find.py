"""Where the model files are: files that are named, else files of known folders.

Nothing is downloaded here. `roots` is always what `known_folders` gives; a run asks for it once.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..files.plain_file import check_file
from .comfyui import FCVG_MODELS
from .controlnext_svd import CONTROLNEXT_SVD_CONTROLNEXT, CONTROLNEXT_SVD_UNET
from .dwpose import BOXES, DWPOSE_FILES, POINTS
from .fcvg import FCVG_CONTROLNEXT, FCVG_UNET
from .gluestick import MATCHER, SUPERPOINT
from .model_files import MODEL_INDEX, ModelFile
from .svd import SVD

Roots = list[tuple[str, Path]]


@dataclass(frozen=True)
class ModelSet:
    """The two models of a family that paint together with SVD.

    Attributes:
        name: its name for people.
    """

    name: str
    unet: ModelFile
    controlnext: ModelFile


FCVG_SET = ModelSet("FCVG", FCVG_UNET, FCVG_CONTROLNEXT)
CONTROLNEXT_SVD_SET = ModelSet("ControlNeXt-SVD", CONTROLNEXT_SVD_UNET, CONTROLNEXT_SVD_CONTROLNEXT)


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
    unet = unet or model_set.unet.find(roots)
    controlnext = controlnext or model_set.controlnext.find(roots)
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
    return gluestick or MATCHER.find(roots), superpoint or SUPERPOINT.find(roots)


def find_dwpose(boxes: Path | None, points: Path | None, roots: Roots) -> tuple[Path, Path] | None:
    """DWPose's two files: each the file that is named, else the first of the known folders.

    Returns:
        None unless both files are there.

    Raises:
        UserError: one file is named, and the other file is neither named nor found.
    """
    found = boxes or BOXES.find(roots), points or POINTS.find(roots)
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
    index = SVD.find(roots)
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
