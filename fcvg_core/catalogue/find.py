"""Finds the model files of a run: a file that the user names, or the first file in known folders.

Nothing is downloaded here. `roots` are the folders from `known_folders`; a run asks for them once.
"""

from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..files.plain_file import check_file
from .controlnext_svd import CONTROLNEXT_SVD_CONTROLNEXT, CONTROLNEXT_SVD_UNET
from .dwpose import BOXES, DWPOSE_FILES, POINTS
from .fcvg import FCVG_CONTROLNEXT, FCVG_UNET
from .gluestick import MATCHER, SUPERPOINT
from .missing import searched
from .model_files import MODEL_INDEX, MissingModelsError, ModelFile, Roots
from .svd import SVD, SVD_UNET, find_part


@dataclass(frozen=True)
class ModelSet:
    """A UNet and a ControlNeXt that belong together, or SVD's own UNet, which nothing steers.

    Attributes:
        name: name of the family, for people.
        controlnext: None if nothing is steered; then the UNet in SVD's folder is enough.
        otherwise: what can be done without them, as a sentence for people.
        prefix: of the names by which a user names a file: `--` for options.
    """

    name: str
    unet: ModelFile
    controlnext: ModelFile | None
    otherwise: str = ""
    prefix: str = "--"


FCVG_SET = ModelSet(
    "FCVG",
    FCVG_UNET,
    FCVG_CONTROLNEXT,
    otherwise="SVD alone paints too, without FCVG: add --sampler mpd.",
)
CONTROLNEXT_SVD_SET = ModelSet("ControlNeXt-SVD", CONTROLNEXT_SVD_UNET, CONTROLNEXT_SVD_CONTROLNEXT)
SVD_SET = ModelSet("SVD", SVD_UNET, None)


@dataclass(frozen=True)
class ModelFiles:
    """The model files of a run, all of which exist.

    Attributes:
        svd: folder in diffusers' layout.
        unet: None: the UNet in SVD's folder.
        controlnext: None: nothing is steered.
    """

    svd: Path
    unet: Path | None
    controlnext: Path | None

    @property
    def named(self) -> dict[str, Path]:
        """The files that there are, and SVD's folder, by the names of their options."""
        every = {"unet": self.unet, "controlnext": self.controlnext, "model": self.svd}
        return {name: path for name, path in every.items() if path is not None}


def find_models(
    svd: Path | None,
    unet: Path | None,
    controlnext: Path | None,
    *,
    model_set: ModelSet,
    roots: Roots,
) -> ModelFiles:
    """The files that the user names; for each of the others, the first file in the known folders.

    Args:
        svd: folder of SVD in diffusers' layout; None to search for it.
        unet, controlnext: files; None to search for them.
        model_set: the files to search for.
        roots: from `known_folders`.

    Raises:
        MissingModelsError: a model is neither named nor found.
        UserError: a named file does not exist, or SVD's path is not a folder.
    """
    svd = svd or find_svd(roots)
    missing = {} if svd else {"model": SVD}
    steered = model_set.controlnext is not None
    # SVD's folder may hold its UNet, but a run that is steered needs the UNet of its family.
    inside = not steered and svd is not None and find_part(svd, "unet") is not None
    if unet is None and not inside:
        unet = model_set.unet.find(roots)
        missing |= {} if unet else {"unet": model_set.unet}
    if not steered:
        controlnext = None
    elif controlnext is None:
        controlnext = model_set.controlnext.find(roots)
        missing |= {} if controlnext else {"controlnext": model_set.controlnext}
    if missing:
        raise _missing_models(model_set, missing, roots)
    found = ModelFiles(_svd_folder(svd), unet, controlnext)
    for path in (unet, controlnext):
        if path is not None:
            check_file(path, expected="a file of weights")
    return found


def _missing_models(
    model_set: ModelSet, missing: dict[str, ModelFile], roots: Roots
) -> MissingModelsError:
    """The error about models, by their options, that are neither named nor found."""
    get = "its option --get downloads them"
    if any(file.on_request for file in missing.values()):
        keys = " ".join(file.key for file in missing.values())
        get = f"python -m fcvg_core models --get --only {keys} downloads them"
    names = ", ".join(f"{model_set.prefix}{name}" for name in missing)
    text = (
        f"Models of {model_set.name} are missing: name them with {names}, or put "
        f"them into the folders that python -m fcvg_core models lists ({get}). "
        f"{searched(roots)}"
    )
    return MissingModelsError(f"{text} {model_set.otherwise}".rstrip())


def find_gluestick(
    gluestick: Path | None, superpoint: Path | None, roots: Roots
) -> tuple[Path | None, Path | None]:
    """GlueStick's two files: the file that the user names, else the first in the known folders."""
    return gluestick or MATCHER.find(roots), superpoint or SUPERPOINT.find(roots)


def find_dwpose(boxes: Path | None, points: Path | None, roots: Roots) -> tuple[Path, Path] | None:
    """DWPose's two files: the file that the user names, else the first in the known folders.

    Returns:
        Files that find boxes and points; None unless both files are found.

    Raises:
        UserError: one file is named, and the other file is neither named nor found.
    """
    files = boxes or BOXES.find(roots), points or POINTS.find(roots)
    if None not in files:
        return files
    if boxes or points:
        raise UserError(
            "DWPose needs two files: name them with --dwpose-det and --dwpose-pose, or put "
            f"{' and '.join(DWPOSE_FILES)} into the folders that python -m fcvg_core models lists."
        )
    return None


def find_svd(roots: Roots) -> Path | None:
    """The first folder of SVD in diffusers' layout in the known folders; None if there is none."""
    index = SVD.find(roots)
    return index.parent if index else None


def _svd_folder(folder: Path) -> Path:
    """The folder, if it exists. A model's name on huggingface.co is not accepted."""
    if not folder.is_dir():
        raise UserError(
            f"{folder} is no folder: give --model the folder of SVD in diffusers' layout, which "
            f"contains {MODEL_INDEX}. A run downloads nothing: python -m fcvg_core models --get "
            "does, and then a run finds SVD without --model."
        )
    return folder
