"""The host's folders of model files, and names of files for drop-down lists."""

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
AUTO = "auto"  # entry of a drop-down list: use the official file if it is present

# Kind of model -> its files and their source, for messages.
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
_NONE = "(no file found in models/{})"


def register_folders() -> None:
    """Register this pack's folders with the host; folders in extra_model_paths.yaml are kept."""
    weights = folder_paths.supported_pt_extensions
    own = ((CONTROLNEXT, weights), (GLUESTICK, {*weights, ".tar"}), (DWPOSE, {".onnx"}))
    for kind, endings in own:
        default = os.path.join(folder_paths.models_dir, kind)
        known = folder_paths.folder_names_and_paths
        paths, extensions = known.get(kind, ([], set()))
        paths = paths if default in paths else [*paths, default]
        known[kind] = (paths, set(extensions) | endings)


def list_files(kind: str) -> list[str]:
    """Names for a drop-down list; if there is no file, one entry names the empty folder."""
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
    """Full path of a file in a drop-down list.

    Raises:
        ValueError: the file is missing; the message says how to get it.
    """
    for spelling in _spellings(name):
        path = folder_paths.get_full_path(kind, spelling)
        if path is not None:
            return path
    raise ValueError(_missing(kind, name))


def _spellings(name: str) -> tuple[str, ...]:
    """A name, and the name with / and with \\: a graph keeps the separator of its system."""
    name = str(name)
    return name, name.replace("\\", "/"), name.replace("/", "\\")


def find_pair(
    kind: str, names: tuple[str, str], official: tuple[str, str]
) -> tuple[str, str] | None:
    """Full paths of two files that belong together; each name may be AUTO.

    AUTO stands for the official file, see `_converted`. If both names are AUTO and a file is
    missing, the result is None, and the missing file is logged.

    Raises:
        ValueError: a name is not AUTO, and one of the two files is missing.
    """
    official = tuple(_converted(kind, name) for name in official)
    if names == (AUTO, AUTO):
        missing = [name for name in official if folder_paths.get_full_path(kind, name) is None]
        if missing:
            logging.info("%s is not in models/%s: its loader outputs nothing.", missing[0], kind)
            return None
    chosen = (file if name == AUTO else name for name, file in zip(names, official, strict=True))
    return tuple(find_file(kind, name) for name in chosen)


def _converted(kind: str, name: str) -> str:
    """The official name, or the converted .safetensors name if only that file exists."""
    other = os.path.splitext(name)[0] + ".safetensors"
    there = [file for file in (name, other) if folder_paths.get_full_path(kind, file)]
    return there[0] if there else name


def is_there(find: Callable, *arguments) -> bool | str:
    """Answer for a node's validate_inputs: True, or the message of `find` for a missing file.

    Without it the host would only say that the name is not in a list. An argument is None if its
    value is not known before the graph runs.
    """
    try:
        if None not in arguments:
            find(*arguments)
    except ValueError as error:
        return str(error)
    return True


def are_there(kind: str, *names: str | None) -> bool | str:
    """Answer for a node's validate_inputs about several files; each name may be AUTO."""
    answers = (is_there(find_file, kind, name) for name in names if name != AUTO)
    return next((answer for answer in answers if answer is not True), True)


def fingerprint(kind: str) -> str:
    """Text that changes when a file of a kind is added, removed or replaced.

    The host caches a node's output as long as this text stays the same.
    """
    paths = [folder_paths.get_full_path(kind, n) for n in folder_paths.get_filename_list(kind)]
    return repr([(path, os.path.getmtime(path)) for path in paths if path])


def find_svd_folder(name: str) -> str:
    """Full path of a folder in `list_svd_folders`; ValueError if it does not exist."""
    bases = folder_paths.get_folder_paths(SVD_FOLDERS)
    for base, spelling in itertools.product(bases, _spellings(name)):
        path = os.path.normpath(os.path.join(base, spelling))
        inside = path.startswith(os.path.normpath(base) + os.sep)
        if inside and os.path.isfile(os.path.join(path, "model_index.json")):
            return path
    raise ValueError(_missing(SVD_FOLDERS, name))


def _missing(kind: str, name: str) -> str:
    from ...fcvg_core.shell import shell_words

    # This command works in any current folder, and also with an embedded Python.
    core = str(Path(__file__).resolve().parents[2] / "fcvg_core")
    command = shell_words(sys.executable, core, "models", "--get")
    folders = " or ".join(folder_paths.get_folder_paths(kind))
    return (
        f"{name!r} was not found in {folders}. Download it with `{command}` in a terminal, or put "
        f"{_WANTED[kind]} there; then choose it in this list."
    )
