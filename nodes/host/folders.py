"""Where the host keeps model files, and what a drop-down list shows of them."""

import itertools
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

import folder_paths

CONTROLNEXT = "controlnext"
UNET = "diffusion_models"
SVD_FOLDERS = "diffusers"
GLUESTICK = "gluestick"
DWPOSE = "dwpose"
AUTO = "auto"  # in a drop-down list: the official file, where it is

# What to say when a list is empty: the file and where it comes from.
_WANTED = {
    CONTROLNEXT: "controlnext.safetensors of FCVG (github.com/Tian-one/FCVG) or controlnet.bin of "
    "ControlNeXt-SVD (github.com/dvlab-research/ControlNeXt)",
    UNET: "unet.safetensors of FCVG (github.com/Tian-one/FCVG) or the UNet of ControlNeXt-SVD "
    "(github.com/dvlab-research/ControlNeXt)",
    GLUESTICK: "checkpoint_GlueStick_MD.tar and superpoint_v1.pth of GlueStick "
    "(github.com/cvg/GlueStick; SuperPoint's are for non-commercial research only)",
    DWPOSE: "yolox_l.onnx and dw-ll_ucoco_384.onnx of DWPose (huggingface.co/yzd-v/DWPose)",
    SVD_FOLDERS: "the folder of stabilityai/stable-video-diffusion-img2vid-xt-1-1",
}
_NONE = "(none found: put it into models/{})"


def register_folders() -> None:
    """Make this pack's folders known to the host, beside what extra_model_paths.yaml names."""
    weights = folder_paths.supported_pt_extensions
    own = ((CONTROLNEXT, weights), (GLUESTICK, {*weights, ".tar"}), (DWPOSE, {".onnx"}))
    for kind, endings in own:
        default = os.path.join(folder_paths.models_dir, kind)
        known = folder_paths.folder_names_and_paths
        paths, extensions = known.get(kind, ([], set()))
        paths = paths if default in paths else [*paths, default]
        known[kind] = (paths, set(extensions) | endings)


def list_files(kind: str) -> list[str]:
    """Names for a drop-down list; where there is no file, one line that says where to put it."""
    return folder_paths.get_filename_list(kind) or [_NONE.format(kind)]


def list_svd_folders() -> list[str]:
    """Folders in diffusers' layout (with a model_index.json), relative to models/diffusers."""
    found = []
    for base in folder_paths.get_folder_paths(SVD_FOLDERS):
        for root, _, files in os.walk(base, followlinks=True):
            if "model_index.json" in files:
                found.append(os.path.relpath(root, base))
    return sorted(found) or [_NONE.format(SVD_FOLDERS)]


def find_file(kind: str, name: str) -> str:
    """Full path of a file of a drop-down list.

    Raises:
        ValueError: it is not there; the message says what to put where.
    """
    for spelling in _spellings(name):
        path = folder_paths.get_full_path(kind, spelling)
        if path is not None:
            return path
    raise ValueError(_missing(kind, name))


def _spellings(name: str) -> tuple[str, ...]:
    """A name, then with each system's separator: graphs keep that of the system they are from."""
    name = str(name)
    return name, name.replace("\\", "/"), name.replace("/", "\\")


def find_pair(
    kind: str, names: tuple[str, str], official: tuple[str, str]
) -> tuple[str, str] | None:
    """Full paths of two files that belong together, each named or AUTO.

    AUTO is the official name, or that of the file as .safetensors. Where both are AUTO and one is
    missing: None, and the log says so.

    Raises:
        ValueError: one is named, and one is not there.
    """
    official = tuple(_converted(kind, name) for name in official)
    if names == (AUTO, AUTO):
        missing = [name for name in official if folder_paths.get_full_path(kind, name) is None]
        if missing:
            logging.info("%s is not in models/%s: its node gives nothing.", missing[0], kind)
            return None
    chosen = (file if name == AUTO else name for name, file in zip(names, official, strict=True))
    return tuple(find_file(kind, name) for name in chosen)


def _converted(kind: str, name: str) -> str:
    """An official file's name, or what `models --convert` makes of it where that alone is there."""
    other = os.path.splitext(name)[0] + ".safetensors"
    there = [file for file in (name, other) if folder_paths.get_full_path(kind, file)]
    return there[0] if there else name


def is_there(find: Callable, *arguments) -> bool | str:
    """What a node's validate_inputs answers: True, or what `find` says of a missing file.

    The host's own answer would be that a name is not in a list. None stands for a name that is
    not known before the graph runs.
    """
    try:
        if None not in arguments:
            find(*arguments)
    except ValueError as error:
        return str(error)
    return True


def are_there(kind: str, *names: str | None) -> bool | str:
    """What a node's validate_inputs answers about files that are each named or AUTO."""
    answers = (is_there(find_file, kind, name) for name in names if name != AUTO)
    return next((answer for answer in answers if answer is not True), True)


def fingerprint(kind: str) -> str:
    """Changes when a file of a kind comes, goes or is replaced: the host caches what was found."""
    paths = [folder_paths.get_full_path(kind, n) for n in folder_paths.get_filename_list(kind)]
    return repr([(path, os.path.getmtime(path)) for path in paths if path])


def find_svd_folder(name: str) -> str:
    """Full path of a folder of `list_svd_folders`; ValueError where there is none."""
    bases = folder_paths.get_folder_paths(SVD_FOLDERS)
    for base, spelling in itertools.product(bases, _spellings(name)):
        path = os.path.normpath(os.path.join(base, spelling))
        inside = path.startswith(os.path.normpath(base) + os.sep)
        if inside and os.path.isfile(os.path.join(path, "model_index.json")):
            return path
    raise ValueError(_missing(SVD_FOLDERS, name))


def _missing(kind: str, name: str) -> str:
    from ...fcvg_core.shell import shell_words

    # In words that work in any folder, and with an embedded Python too.
    core = str(Path(__file__).resolve().parents[2] / "fcvg_core")
    command = shell_words(sys.executable, core, "models", "--get")
    folders = " or ".join(folder_paths.get_folder_paths(kind))
    return (
        f"There is no {name!r}. Put {_WANTED[kind]} into {folders} and choose it here. To download "
        f"what is missing, in a terminal: {command}"
    )
