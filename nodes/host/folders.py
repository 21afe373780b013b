"""The host's folders of model files, and names of files for drop-down lists."""

import itertools
import logging
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import folder_paths

from ...fcvg_core.catalogue import families
from ...fcvg_core.catalogue.dwpose import DWPOSE
from ...fcvg_core.catalogue.dynamicrafter import CHECKPOINTS, TEXT_ENCODERS, VAES
from ...fcvg_core.catalogue.gluestick import GLUESTICK
from ...fcvg_core.catalogue.model_files import (
    CONTROLNEXT,
    DIFFUSERS,
    MODEL_INDEX,
    UNET,
    ModelFile,
)
from ...fcvg_core.catalogue.taesdv import NAMES as TAESDV_NAMES
from ...fcvg_core.catalogue.taesdv import VAE_APPROX

__all__ = [
    "AUTO",
    "CHECKPOINTS",
    "CONTROLNEXT",
    "DWPOSE",
    "GLUESTICK",
    "TEXT_ENCODERS",
    "TRANSFORMER",
    "UNET",
    "UNET_FOLDER",
    "VAES",
    "VAE_APPROX",
    "are_there",
    "find_auto",
    "find_file",
    "find_pair",
    "find_pipeline",
    "find_taesdv",
    "fingerprint",
    "is_there",
    "list_files",
    "list_pipelines",
    "list_taesdv",
    "register_folders",
]

UNET_FOLDER, TRANSFORMER = "unet", "transformer"  # of a folder in diffusers' layout
AUTO = "auto"  # in a drop-down list: the official file, if it is there
_NONE = "(no file found in models/{})"


def register_folders() -> None:
    """Make the folders of every family known to ComfyUI, with the endings of their files.

    Folders that extra_model_paths.yaml names stay. A kind that ComfyUI knows already is not
    changed, because other packs may share its set of endings.
    """
    known = folder_paths.folder_names_and_paths
    for kind in families.list_kinds():
        default = os.path.join(folder_paths.models_dir, kind)
        paths, endings = known.get(kind, ([], set()))
        wanted = _endings(kind)
        if default in paths and wanted <= set(endings):
            continue
        paths = paths if default in paths else [*paths, default]
        known[kind] = (paths, set(endings) | wanted)


def _endings(kind: str) -> set[str]:
    """Endings of the files in one of ComfyUI's folders; weights may have all of ComfyUI's endings.

    A folder for models in diffusers' layout has no endings, because ComfyUI does not list its
    files.
    """
    names = [name for row in families.list_files() if not row.pipeline for name in row.names(kind)]
    endings = {os.path.splitext(name)[1] for name in names}
    weights = folder_paths.supported_pt_extensions
    return endings | weights if endings & weights else endings


def list_files(kind: str) -> list[str]:
    """Names for a drop-down list; if there is no file, one line that says so."""
    return folder_paths.get_filename_list(kind) or [_NONE.format(kind)]


def list_pipelines(network: str) -> list[str]:
    """Folders in diffusers' layout, which have a model_index.json, below models/diffusers.

    Args:
        network: UNET_FOLDER or TRANSFORMER: folders that hold the other network only are left out.
    """
    other = {UNET_FOLDER: TRANSFORMER, TRANSFORMER: UNET_FOLDER}[network]
    found = []
    for base in folder_paths.get_folder_paths(DIFFUSERS):
        for root, folders, files in os.walk(base, followlinks=True):
            if MODEL_INDEX in files and (network in folders or other not in folders):
                found.append(os.path.relpath(root, base))
    return sorted(found) or [_NONE.format(DIFFUSERS)]


def list_taesdv() -> list[str]:
    """Files of TAESDV in models/vae_approx; if there is none, one line that says so."""
    return _taesdv() or [_NONE.format(f"{VAE_APPROX}: {TAESDV_NAMES[0]}")]


def find_taesdv() -> str | None:
    """Full path of the first file of TAESDV; None if there is none."""
    return next((folder_paths.get_full_path(VAE_APPROX, name) for name in _taesdv()), None)


def _taesdv() -> list[str]:
    """Names of TAESDV's files among the small decoders of other models."""
    stem = os.path.splitext(TAESDV_NAMES[0])[0]
    names = folder_paths.get_filename_list(VAE_APPROX)
    return [name for name in names if re.split(r"[/\\]", name)[-1].startswith(stem)]


def find_file(kind: str, name: str, advice: str = "") -> str:
    """Full path of a file in a drop-down list.

    Args:
        advice: what to do if the file is not there; empty: the advice of the catalogue.

    Raises:
        ValueError: the file is not there; the message says what to put where.
    """
    for spelling in _spellings(name):
        path = folder_paths.get_full_path(kind, spelling)
        if path is not None:
            return path
    raise ValueError(_missing(kind, name, advice))


def _spellings(name: str) -> tuple[str, ...]:
    """A name, then the name with the separators of each system: graphs come from any system."""
    name = str(name)
    return name, name.replace("\\", "/"), name.replace("/", "\\")


def find_pair(names: tuple[str, str], rows: tuple[ModelFile, ModelFile]) -> tuple[str, str] | None:
    """Full paths of two files that belong together, each chosen by its name or by AUTO.

    AUTO stands for the first of the catalogue's names that is there. If both are AUTO and a file
    is missing, the result is None, and the log says which file.

    Args:
        rows: the two files in the catalogue.

    Raises:
        ValueError: a file is chosen by its name, but one of the two files is not there.
    """
    kind = rows[0].kind
    official = tuple(map(_official_name, rows))
    if names == (AUTO, AUTO):
        missing = [name for name in official if folder_paths.get_full_path(kind, name) is None]
        if missing:
            logging.info(
                "models/%s lacks %s: nothing is loaded. This node's help says where to get them.",
                kind,
                " and ".join(missing),
            )
            return None
    chosen = (file if name == AUTO else name for name, file in zip(names, official, strict=True))
    return tuple(find_file(kind, name) for name in chosen)


def find_auto(name: str, row: ModelFile) -> str | None:
    """Full path of a file that is chosen by its name or by AUTO.

    AUTO stands for the first of the catalogue's names that is there; the result is None if none
    is there.

    Args:
        row: the file in the catalogue.

    Raises:
        ValueError: the file is chosen by its name and is not there.
    """
    if name != AUTO:
        return find_file(row.kind, name)
    return folder_paths.get_full_path(row.kind, _official_name(row))


def _official_name(row: ModelFile) -> str:
    """The first accepted name of a file that is there; the official name if none is there."""
    names = row.names(row.kind)
    there = [name for name in names if folder_paths.get_full_path(row.kind, name)]
    return (there or names)[0]


def is_there(find: Callable, *arguments) -> bool | str:
    """The answer of a node's validate_inputs: True, or the message of `find` about a missing file.

    Without this answer ComfyUI would only say that a name is not in a list. An argument is None if
    it is not known before the graph runs.
    """
    try:
        if None not in arguments:
            find(*arguments)
    except ValueError as error:
        return str(error)
    return True


def are_there(kind: str, *names: str | None) -> bool | str:
    """The answer of a node's validate_inputs about files that are chosen by name or by AUTO."""
    answers = (is_there(find_file, kind, name) for name in names if name != AUTO)
    return next((answer for answer in answers if answer is not True), True)


def fingerprint(kind: str) -> str:
    """Changes if a file of a kind comes, goes or is replaced; then the host runs the node again."""
    paths = [folder_paths.get_full_path(kind, n) for n in folder_paths.get_filename_list(kind)]
    return repr([(path, os.path.getmtime(path)) for path in paths if path])


def find_pipeline(name: str) -> str:
    """Full path of a folder of `list_pipelines`; ValueError if the folder is not there."""
    bases = folder_paths.get_folder_paths(DIFFUSERS)
    for base, spelling in itertools.product(bases, _spellings(name)):
        path = os.path.normpath(os.path.join(base, spelling))
        inside = path.startswith(os.path.normpath(base) + os.sep)
        if inside and os.path.isfile(os.path.join(path, MODEL_INDEX)):
            return path
    raise ValueError(_missing(DIFFUSERS, name))


def command_to_get() -> str:
    """The command that downloads missing files of models."""
    from ...fcvg_core.shell import shell_words

    # This command works in any current folder, and also with an embedded Python.
    core = str(Path(__file__).resolve().parents[2] / "fcvg_core")
    return shell_words(sys.executable, core, "models", "--get")


def _missing(kind: str, name: str, advice: str = "") -> str:
    """The message about a missing file: what to do, or which files to get."""
    folders = " or ".join(folder_paths.get_folder_paths(kind))
    return f"{name!r} was not found in {folders}. {advice or _how_to_get(kind, name)}"


def _how_to_get(kind: str, name: str) -> str:
    """How to get the files of a list; of files that come one by one, the file of a known name."""
    rows = [row for row in families.list_files() if row.names(kind)]
    known = [row for row in rows if row.on_request and set(_spellings(name)) & set(row.names(kind))]
    command = command_to_get()
    if known:
        command += f" --only {known[0].key}"
    elif len(rows) == 1 and not families.modes_needing(rows[0]):
        command += f" --only {rows[0].key}"
    elif all(row.on_request for row in rows):
        command += " --only KEY"
    wanted = "; ".join(_described(row, kind, named=bool(known)) for row in known or rows)
    models = "this model" if known else "one of the models for this list"
    return (
        f"Download it with `{command}` in a terminal, or put {models} there: {wanted}. Then choose "
        "the file in this list."
    )


def _described(row: ModelFile, kind: str, *, named: bool) -> str:
    """A file as an error message names it.

    Args:
        named: whether the message gives the command with the file's key.
    """
    name = row.names(kind)[0]
    name = os.path.dirname(name) if row.pipeline else name
    key = f"; KEY: {row.key}" if row.on_request and not named else ""
    return (
        f"{name} ({row.name}, from {row.source}; about {row.size:.0f} MB; licence: "
        f"{row.licence}{key})"
    )
